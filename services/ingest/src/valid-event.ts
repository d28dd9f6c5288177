import type { WebhookEvent } from "@postrider/core";

/** An event that has passed validation, so its tenant is never null. */
export type ValidEvent = WebhookEvent & { readonly tenantId: string };
