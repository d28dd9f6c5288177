/** The requests to control about event types. */
import type { ApiAddress } from "./api.ts";
import { callApi, pathSegment } from "./api.ts";

/** An event type as control answers it. */
export interface EventType {
  readonly name: string;
  readonly tenantId: string | null;
  readonly description: string;
  readonly schema: unknown;
  readonly example: unknown;
  readonly version: number;
}

interface EventTypePage {
  readonly eventTypes: readonly EventType[];
  readonly nextCursor: string | null;
}

/** The path of a tenant's own type, or of the one of every tenant. */
export function typePath(name: string, tenantId?: string | null): string {
  const path = `/v1/event-types/${pathSegment(name)}`;
  return tenantId === undefined || tenantId === null
    ? path
    : `${path}?tenantId=${encodeURIComponent(tenantId)}`;
}

/** What events of this type are for a tenant: its own type, else every tenant's. */
export async function readEventType(
  control: ApiAddress,
  name: string,
  tenantId?: string,
): Promise<EventType> {
  const request = { method: "GET", path: typePath(name, tenantId) } as const;
  return (await callApi(control, request)) as EventType; // this is what control's API answers
}

/** All of them; with a tenant its own and every tenant's. */
export async function readEventTypes(
  control: ApiAddress,
  tenantId?: string,
): Promise<EventType[]> {
  const eventTypes: EventType[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (tenantId !== undefined) query.set("tenantId", tenantId);
    if (cursor !== null) query.set("cursor", cursor);
    const page = (await callApi(control, {
      method: "GET",
      path: `/v1/event-types?${query.toString()}`,
    })) as EventTypePage; // as above
    eventTypes.push(...page.eventTypes);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return eventTypes;
}

export function ownerOf(tenantId: string | null): string {
  return tenantId ?? "all";
}
