import type { ApiAddress } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { readEvent } from "./read-event.ts";
import type { DeliveryView, EventView } from "../event-view.ts";
import { isSettled } from "./event-view.ts";

export interface PublishedEvent {
  readonly id: string;
  readonly tenantId: string;
}

const POLL_EVERY_MS = 250;
/** An event is usually recorded within this time, and nothing need be said. */
const QUIET_MS = 1_000;
const READS_AT_ONCE = 8;

/**
 * Polls until nothing further will happen to any of the events. `onProgress` gets a summary of all; `onChange`, used for a single
 * event, gets each thing that has happened to it. Throws `CliError` when the time is over.
 */
export async function waitForEvents(options: {
  readonly control: ApiAddress;
  readonly events: readonly PublishedEvent[];
  readonly timeoutMs: number;
  readonly onProgress: (text: string) => void;
  readonly onChange: (text: string) => void;
}): Promise<EventView[]> {
  const { control, events } = options;
  const views = new Map<PublishedEvent, EventView>();
  const open = new Set(events);
  const quietUntil = Date.now() + QUIET_MS;
  const deadline = Date.now() + options.timeoutMs;
  let told = "";
  for (;;) {
    for (const some of chunksOf([...open], READS_AT_ONCE))
      await Promise.all(
        some.map(async (event) => {
          const view = await readIfRecorded(control, event);
          if (view === null) return;
          views.set(event, view);
          if (isSettled(view)) open.delete(event);
        }),
      );
    const [single] = events.length === 1 ? views.values() : [];
    if (views.size === 0) {
      if (Date.now() >= quietUntil)
        options.onProgress(
          `published; waiting until ${events.length === 1 ? "it is" : "they are"} recorded`,
        );
    } else if (single === undefined)
      options.onProgress(progressOf(events, views));
    else {
      const text = describe(single);
      if (text !== told) options.onChange(text);
      told = text;
    }
    if (open.size === 0)
      return events.map((event) => views.get(event) as EventView); // no event is open, so each has been read
    if (Date.now() >= deadline) throw tooLate(open, options.timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}

function* chunksOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size)
    yield items.slice(start, start + size);
}

async function readIfRecorded(
  control: ApiAddress,
  event: PublishedEvent,
): Promise<EventView | null> {
  try {
    return await readEvent(control, event);
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.notFound)
      return null;
    throw error;
  }
}

function progressOf(
  events: readonly PublishedEvent[],
  views: ReadonlyMap<PublishedEvent, EventView>,
): string {
  const counts = new Map<string, number>();
  for (const event of events) {
    const view = views.get(event);
    const statuses = view?.deliveries.map((delivery) => delivery.status) ?? [];
    for (const status of view === undefined ? ["not yet recorded"] : statuses)
      counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const parts = [...counts].map(([status, count]) => `${count} ${status}`);
  return parts.join(" · ") || "nothing to deliver";
}

function describe(event: EventView): string {
  if (event.deliveries.length === 0) return event.decision;
  return event.deliveries
    .map((delivery) => {
      const last = delivery.attempts.at(-1);
      const seen =
        last === undefined
          ? ""
          : `, attempt ${last.attemptNumber}: ${last.outcome} ${last.statusCode ?? ""}`.trimEnd();
      // An attempt becomes visible a moment before the status that follows from it.
      const isDelivered = last?.outcome === "delivered";
      const status = isDelivered ? "delivered" : delivery.status;
      const next = isDelivered ? "" : nextOf(delivery);
      return `${delivery.endpointId} ${status}${seen}${next}`;
    })
    .join(" · ");
}

function nextOf({ nextAttemptAt, deferralReason }: DeliveryView): string {
  if (nextAttemptAt === null) return "";
  return deferralReason == null
    ? `, next at ${nextAttemptAt}`
    : `, put off (${deferralReason}) until ${nextAttemptAt}`;
}

function tooLate(
  open: ReadonlySet<PublishedEvent>,
  timeoutMs: number,
): CliError {
  const [first] = open;
  return new CliError(
    EXIT.failed,
    `${open.size} of the events did not come to an end within ${Math.round(timeoutMs / 1000)} s.`,
    {
      why: "Their deliveries are still pending or failed; Postrider goes on with them.",
      next: `npx postrider events get ${first?.id} --tenant ${first?.tenantId}`,
    },
  );
}
