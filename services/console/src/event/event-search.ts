/** An event's place in the URL. Ids are unique only within a tenant. */
export interface EventSearch {
  readonly tenantId?: string;
}

export function eventSearch(
  given: Readonly<Record<string, unknown>>,
): EventSearch {
  const { tenantId } = given;
  return typeof tenantId === "string" && tenantId.trim() !== ""
    ? { tenantId: tenantId.trim() }
    : {};
}
