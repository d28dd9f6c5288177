import { callApi, type ApiAddress } from "./api.ts";

/** The fields of control's answer that are printed for people. */
export interface Endpoint {
  readonly id: string;
  readonly externalId: string | null;
  readonly tenantId: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly filter?: string | null;
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

/** What a list may be narrowed to; the names are those of the API. */
export interface EndpointFilter {
  readonly tenantId?: string | undefined;
  readonly externalId?: string | undefined;
  readonly state?: string | undefined;
  readonly eventType?: string | undefined;
  readonly text?: string | undefined;
}

/** Reads all pages of the list. */
export async function readEndpoints(
  control: ApiAddress,
  filter: EndpointFilter,
): Promise<Endpoint[]> {
  const endpoints: Endpoint[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    for (const [name, value] of Object.entries(filter))
      if (typeof value === "string") query.set(name, value);
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
