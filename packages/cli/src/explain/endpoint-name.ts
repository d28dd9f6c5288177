import type { EndpointNow } from "./explanation.ts";

/** The endpoint's id with what people know it by. */
export function endpointName(endpoint: EndpointNow): string {
  const { id, externalId, description, url } = endpoint;
  const known = [externalId ?? "", description, url ?? ""].filter(Boolean);
  return known.length === 0 ? id : `${id} (${known.join(", ")})`;
}
