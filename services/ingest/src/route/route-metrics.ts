import { DECISIONS } from "@postrider/core";
import type { Log, Meter } from "@postrider/runtime";
import type { RouteOptions } from "./route.stage.ts";

/** Counts the decisions of a runner of route. The log line per event is at debug level only, because intake records every event anyway. */
export function createRouteMeters(
  stage: string,
  { log, meter }: { readonly log: Log; readonly meter: Meter },
): NonNullable<RouteOptions["onDecided"]> {
  const events = meter.counter(
    "postrider_events_total",
    "Records of the topic events, or of a configured source, by what route decided. Each decision is there from the start, with 0.",
    ["stage", "decision"],
  );
  // Of a series that begins with its first value `increase` does not see that value, and a source may write all its records at once.
  for (const decision of DECISIONS) events.inc({ stage, decision }, 0);
  const deliveries = meter.counter(
    "postrider_deliveries_routed_total",
    "Deliveries that route made.",
  );
  return (decided, known) => {
    const { decision, deliveries: made = [] } = decided;
    events.inc({ stage, decision });
    if (made.length > 0) deliveries.inc({}, made.length);
    log.debug("event.decided", {
      ...known,
      decision,
      deliveries: made.length,
      reason: decided.reason,
    });
  };
}
