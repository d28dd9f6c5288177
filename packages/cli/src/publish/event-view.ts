import type { DeliveryView, EventView } from "../event-view.ts";
import { madeBy } from "../made-by.ts";
import { visible, type Terminal } from "../terminal.ts";

/** True when nothing further will happen to the event by itself. */
export function isSettled(event: EventView): boolean {
  if (event.decision === "routed" && event.deliveries.length === 0)
    return false; // its deliveries will be visible soon
  return event.deliveries.every(
    (delivery) =>
      (delivery.status === "delivered" ||
        delivery.status === "expired" ||
        isParked(delivery)) &&
      hasAllAttempts(delivery),
  );
}

/** A dead letter can be recorded before the attempts that led to it. */
function hasAllAttempts({ attempts, attemptCount = 0 }: DeliveryView): boolean {
  const last = Math.max(0, ...attempts.map((each) => each.attemptNumber));
  return last >= attemptCount;
}

/** True if the delivery waits until somebody resumes its paused endpoint. */
export function isParked({ status, deadLetterReason }: DeliveryView): boolean {
  return deadLetterReason === "paused" && status !== "delivered";
}

const STATUS_STYLE = {
  delivered: "green",
  pending: "yellow",
  failed: "yellow",
  expired: "red",
} as const;

/** The event with its deliveries and their attempts, as text for people. */
export function renderEvent(event: EventView, terminal: Terminal): string {
  const reason = event.reason === null ? "" : ` (${visible(event.reason)})`;
  return [
    `${terminal.paint("bold", visible(event.id))}  ${visible(event.type)}  tenant ${event.tenantId ?? "unknown"}`,
    `received ${event.receivedAt}  ${event.decision}${reason}`,
    ...event.deliveries.flatMap((delivery) =>
      renderDelivery(delivery, terminal),
    ),
  ].join("\n");
}

function renderDelivery(delivery: DeliveryView, terminal: Terminal): string[] {
  const style = STATUS_STYLE[delivery.status as keyof typeof STATUS_STYLE]; // undefined for a status that this version does not know
  const status =
    style === undefined
      ? delivery.status
      : terminal.paint(style, delivery.status);
  const reason = delivery.deadLetterReason ?? delivery.deferralReason ?? null;
  const why = reason === null ? "" : ` (${visible(reason)})`;
  const next = nextAttempt(delivery);
  return [
    `  ${delivery.id} → ${delivery.endpointId}  ${status}${why}${next}`,
    ...delivery.attempts.map((attempt) => {
      const seen = attempt.statusCode ?? visible(attempt.error ?? "");
      const trigger = madeBy(visible(attempt.trigger));
      return `    ${attempt.attemptNumber}  ${attempt.startedAt}  ${attempt.outcome} ${seen}  ${attempt.durationMs} ms  ${trigger}`.trimEnd();
    }),
  ];
}

/** Of waits for one reason only the first is recorded: after its end the delivery may be deferred again, and nobody can tell until when. */
function nextAttempt({ nextAttemptAt, deferralReason }: DeliveryView): string {
  if (nextAttemptAt === null) return "";
  const isOver = Date.parse(nextAttemptAt) < Date.now();
  return deferralReason != null && isOver
    ? `  next attempt was due ${nextAttemptAt}; it is under way, or waits again`
    : `  next attempt ${nextAttemptAt}`;
}
