/** The second half of `publish --wait`: reports what became of the published events. */
import { matchesType } from "@postrider/core";
import type { Addresses } from "../addresses.ts";
import { wasRepeat, type Arrivals } from "./arrivals.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { isForbidden, type ApiAddress, type ApiRefusal } from "../api.ts";
import type { EventView } from "../event-view.ts";
import { readEndpoints } from "../read-endpoints.ts";
import { isParked, renderEvent } from "./event-view.ts";
import { visible, type Terminal } from "../terminal.ts";
import { waitForEvents, type PublishedEvent } from "./wait-for-events.ts";

/** Waits until nothing further will happen to the events and reports what became of them. Resolves to 0 only if all were delivered. */
export async function tellWhatBecame(
  addresses: Addresses,
  given: {
    readonly events: readonly PublishedEvent[];
    readonly before: Arrivals | null;
    readonly timeoutMs: number;
    readonly terminal: Terminal;
  },
): Promise<ExitCode> {
  const { events, terminal } = given;
  const control = addresses.control();
  const [first] = events;
  const { isDuplicate, views } = await readEnds(control, given);
  const shown = isDuplicate
    ? views.map((view) => ({ ...view, duplicate: true }))
    : views;
  terminal.data({ events: shown }, () =>
    views.map((view) => renderEvent(view, terminal)).join("\n"),
  );
  if (isDuplicate)
    terminal.say(
      `${first?.id} was published before: this is a duplicate, and nothing was sent. Shown is what became of the first one.`,
    );
  const isFine = views.every(wasDelivered);
  if (!isFine) terminal.say(await notDelivered(views, control));
  return isFine ? EXIT.done : EXIT.failed;
}

/** Throws `CliError`; if the key may not read, only after what was published is printed. */
async function readEnds(
  control: ApiAddress,
  given: Parameters<typeof tellWhatBecame>[1],
): Promise<{
  readonly isDuplicate: boolean;
  readonly views: readonly EventView[];
}> {
  const { events, before, timeoutMs, terminal } = given;
  const [first] = events;
  try {
    const isDuplicate =
      before !== null &&
      before.all > 0 &&
      first !== undefined &&
      (await wasRepeat(control, first, before, timeoutMs));
    const views = await waitForEvents({
      control,
      events,
      timeoutMs,
      onProgress: (text) => terminal.progress(visible(text)),
      onChange: (text) => terminal.say(visible(text)),
    });
    return { isDuplicate, views };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    tellPublished(events, terminal);
    throw mayNotRead(error, first);
  }
}

/** Prints what was published, without what became of it. */
export function tellPublished(
  events: readonly PublishedEvent[],
  terminal: Terminal,
): void {
  terminal.data({ events }, () =>
    events.map((event) => visible(event.id)).join("\n"),
  );
}

/** It ends as refused, not as done: `--wait` promises 0 only if all was delivered, and scripts go on from there. */
function mayNotRead(
  refusal: ApiRefusal,
  first: PublishedEvent | undefined,
): CliError {
  return new CliError(
    EXIT.refused,
    "Published, but this key may not read what became of it.",
    {
      why: refusal.why ?? undefined,
      next: `npx postrider events get ${first?.id} --tenant ${first?.tenantId}   (with a key that may read: POSTRIDER_ADMIN_KEY)`,
      cause: refusal,
    },
  );
}

function wasDelivered(event: EventView): boolean {
  return (
    event.deliveries.length > 0 &&
    event.deliveries.every((delivery) => delivery.status === "delivered")
  );
}

async function notDelivered(
  views: readonly EventView[],
  control: ApiAddress,
): Promise<string> {
  const unwanted = views.find(({ decision }) => decision === "no_match");
  const parked = views.flatMap(({ deliveries }) => deliveries).find(isParked);
  if (parked !== undefined)
    return `Not everything was delivered: ${parked.endpointId} is paused, and what comes for it is parked. To deliver it: npx postrider endpoints resume ${parked.endpointId}`;
  const filtered = views.find(({ decision }) => decision === "filtered");
  if (filtered !== undefined)
    return `Nobody got it: filters of endpoints left it out. Which, and why: npx postrider events explain ${filtered.id} --tenant ${filtered.tenantId}`;
  return unwanted === undefined
    ? "Not everything was delivered."
    : `Nobody got it: ${await whyUnwanted(unwanted, control)}`;
}

async function whyUnwanted(
  { tenantId, type }: EventView,
  control: ApiAddress,
): Promise<string> {
  const all = await readEndpoints(control, {
    tenantId: tenantId ?? undefined,
  });
  const takers = all.filter(({ eventTypes }) =>
    eventTypes.some((pattern) => matchesType(pattern, type)),
  );
  const areDisabled =
    takers.length > 0 && takers.every(({ state }) => state === "disabled");
  return areDisabled
    ? `the endpoints of tenant ${tenantId} that take ${visible(type)} are disabled. Enable one: npx postrider endpoints list --tenant ${tenantId}, then npx postrider endpoints enable ID`
    : `tenant ${tenantId} has no endpoint that takes ${visible(type)}. Make one: npx postrider endpoints create --tenant ${tenantId} --types ${visible(type)} --url https://…`;
}
