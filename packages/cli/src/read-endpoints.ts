import { callApi, type ApiAddress } from "./api.ts";

/** The fields of control's answer that are printed for people. */
export interface Endpoint {
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly state: string;
  readonly stateReason: string | null;
  readonly version: number;
  readonly secrets?: readonly { readonly publicKey: string | null }[];
  readonly secret?: string;
}

interface EndpointPage {
  readonly endpoints: readonly Endpoint[];
  readonly nextCursor?: string | null;
}

/** Reads all pages of the list: every endpoint, or a tenant's. */
export async function readEndpoints(
  control: ApiAddress,
  tenantId: string | undefined,
): Promise<Endpoint[]> {
  const endpoints: Endpoint[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (tenantId !== undefined) query.set("tenantId", tenantId);
    if (cursor !== null) query.set("cursor", cursor);
    const page = (await callApi(control, {
      method: "GET",
      path: `/v1/endpoints?${query.toString()}`,
    })) as EndpointPage; // this is what control's API answers
    endpoints.push(...page.endpoints);
    cursor = page.nextCursor ?? null;
  } while (cursor !== null);
  return endpoints;
}
