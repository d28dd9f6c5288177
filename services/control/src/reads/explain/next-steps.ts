/** What a person can do so that an event arrives. Pure. Nothing is said where it arrives by itself. */
import type {
  EndpointGroup,
  EndpointNow,
  ExplainedDelivery,
  ExplainVerdict,
  NextAction,
  NextStep,
  NotNamed,
} from "./explanation.ts";

/** What is wrong with the URL, or what it leads to, as long as nobody changes one of them. */
const URL_FAULTS = ["blocked", "dns_error", "tls_error", "redirect"];

/** For what its steps are asked. */
export type Undelivered = Pick<
  ExplainedDelivery,
  "id" | "status" | "waitsFor" | "isSentAgain" | "isOverdue"
> & {
  readonly endpoint: Pick<EndpointNow, "id" | "state">;
  readonly lastAttempt: Pick<
    NonNullable<ExplainedDelivery["lastAttempt"]>,
    "outcome" | "trigger"
  > | null;
};

/** In the order in which they are to be done. */
export function nextStepsOf(delivery: Undelivered): readonly NextStep[] {
  const { status, isSentAgain, waitsFor } = delivery;
  if (status === "delivered" || isSentAgain) return [];
  if (waitsFor === "resume") return toResume(delivery);
  return waitsFor === null ? toSendAgain(delivery) : toGoOn(delivery);
}

function toResume({ endpoint }: Undelivered): readonly NextStep[] {
  switch (endpoint.state) {
    case "disabled":
      return [step("enable_endpoint", endpoint.id)]; // that resumes, too
    case "deleted":
      return [step("create_endpoint")];
    default:
      return [step("resume_endpoint", endpoint.id)];
  }
}

function toSendAgain(delivery: Undelivered): readonly NextStep[] {
  const { endpoint, id, lastAttempt } = delivery;
  if (lastAttempt?.trigger === "test")
    return [...opened(delivery), step("test_endpoint", endpoint.id)];
  if (endpoint.state === "deleted") return [step("create_endpoint")];
  if (endpoint.state === "inline" && isUrlFault(delivery))
    return [step("publish_again")];
  return [
    ...opened(delivery),
    ...(isUrlFault(delivery) ? [step("fix_url", endpoint.id)] : []),
    step("redrive_delivery", endpoint.id, id),
  ];
}

/** It is attempted again by itself, unless its endpoint takes nothing by then. */
function toGoOn(delivery: Undelivered): readonly NextStep[] {
  const { endpoint, isOverdue } = delivery;
  const steps = [...opened(delivery)];
  if (isUrlFault(delivery) && endpoint.state !== "inline")
    steps.push(step("fix_url", endpoint.id));
  if (isOverdue) steps.push(step("look_at_services"));
  return steps;
}

/** Lets the endpoint take deliveries again. */
function opened({ endpoint }: Undelivered): readonly NextStep[] {
  if (endpoint.state === "disabled")
    return [step("enable_endpoint", endpoint.id)];
  if (endpoint.state === "paused")
    return [step("resume_endpoint", endpoint.id)];
  return [];
}

function isUrlFault({ lastAttempt }: Undelivered): boolean {
  return URL_FAULTS.includes(lastAttempt?.outcome ?? "");
}

const MAX_STEPS = 10;

/** Of the event: its deliveries' steps, then what would have made more deliveries. */
export function nextStepsOfEvent(of: {
  readonly verdict: ExplainVerdict;
  readonly deliveries: readonly Pick<ExplainedDelivery, "next" | "endpoint">[];
  readonly disabled: EndpointGroup;
  readonly filtered: EndpointGroup;
  readonly notNamed: NotNamed | null;
}): readonly NextStep[] {
  const steps = [
    ...of.deliveries.flatMap(({ next }) => next),
    ...withoutDelivery(of),
  ];
  const known = new Set<string>();
  return steps
    .filter(({ action, endpointId }) => {
      // Of several deliveries to one endpoint one redrive is enough.
      const key = `${action} ${endpointId}`;
      return !known.has(key) && known.add(key);
    })
    .slice(0, MAX_STEPS);
}

function withoutDelivery({
  verdict,
  deliveries,
  disabled,
  filtered,
  notNamed,
}: Parameters<typeof nextStepsOfEvent>[0]): readonly NextStep[] {
  if (verdict === "turned_away") return [step("publish_again")];
  const sent = new Set(deliveries.map(({ endpoint }) => endpoint.id));
  const missed = [
    ...disabled.endpoints.flatMap(({ id, state }) =>
      state === "deleted" || sent.has(id)
        ? []
        : [
            ...(state === "disabled" ? [step("enable_endpoint", id)] : []),
            step("backfill_endpoint", id),
          ],
    ),
    ...(notNamed?.endpoints ?? [])
      .filter(({ wantsItNow, state }) => wantsItNow && state !== "disabled")
      .map(({ id }) => step("backfill_endpoint", id)),
  ];
  if (verdict !== "nobody" || missed.length > 0) return missed;
  if (filtered.count > 0) return ofFiltered(filtered);
  const others = notNamed?.endpoints ?? [];
  const [first] = others;
  if (first === undefined) return [step("create_endpoint")];
  // Of several nobody can tell here which was meant.
  return [step("change_event_types", others.length === 1 ? first.id : null)];
}

/** Where the filter was taken away since, a backfill sends the event. */
function ofFiltered({ endpoints }: EndpointGroup): readonly NextStep[] {
  return endpoints
    .filter(({ state }) => state !== "deleted")
    .map(({ id, filter }) =>
      step(filter === null ? "backfill_endpoint" : "try_filter", id),
    );
}

function step(
  action: NextAction,
  endpointId: string | null = null,
  deliveryId: string | null = null,
): NextStep {
  return { action, endpointId, deliveryId };
}
