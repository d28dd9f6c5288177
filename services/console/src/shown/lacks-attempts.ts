import type { DeliveryWithTimeline } from "../api/answers.ts";

/** So long after a delivery's last change its attempts may be on their way to its timeline, ms. What is missing later is kept no more. */
const ON_THEIR_WAY_MS = 60_000;

/** A dead letter can be recorded before the attempts that led to it: then its timeline is asked for again. */
export function lacksAttempts(
  {
    attempts,
    timeline,
    changedAt,
  }: Pick<DeliveryWithTimeline, "attempts" | "timeline" | "changedAt">,
  now = Date.now(),
): boolean {
  if (changedAt === null || now - Date.parse(changedAt) > ON_THEIR_WAY_MS)
    return false;
  const shown = timeline.map((entry) =>
    entry.kind === "attempt" ? entry.attemptNumber : 0,
  );
  return Math.max(0, ...shown) < attempts;
}
