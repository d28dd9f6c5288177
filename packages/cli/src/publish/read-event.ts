import { callApi, pathSegment, type ApiAddress } from "../api.ts";
import type { EventView } from "../event-view.ts";

/** Throws `CliError` with exit code 4 while the event is not recorded. */
export async function readEvent(
  control: ApiAddress,
  event: { readonly id: string; readonly tenantId?: string | undefined },
): Promise<EventView> {
  const query =
    event.tenantId === undefined
      ? ""
      : `?tenantId=${encodeURIComponent(event.tenantId)}`;
  return (await callApi(control, {
    method: "GET",
    path: `/v1/events/${pathSegment(event.id)}${query}`,
  })) as EventView; // this is what control's API answers
}
