import type { WebhookEvent } from "@postrider/core";

/** An event that passed validation, so that its tenant is known. */
export type ValidEvent = WebhookEvent & { readonly tenantId: string };
