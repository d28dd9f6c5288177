import type { Log, Meter } from "@postrider/runtime";
import type { RouteOptions } from "./route.stage.ts";

/** Counts route's decisions. The log line per event is at debug level only, because intake records every event anyway. */
export function createRouteMeters({
  log,
  meter,
}: {
  readonly log: Log;
  readonly meter: Meter;
}): NonNullable<RouteOptions["onDecided"]> {
  const events = meter.counter(
    "postrider_events_total",
    "Records of events by what route decided.",
    ["decision"],
  );
  const deliveries = meter.counter(
    "postrider_deliveries_routed_total",
    "Deliveries that route made.",
  );
  return (decided, known) => {
    const { decision, deliveries: made = [] } = decided;
    events.inc({ decision });
    if (made.length > 0) deliveries.inc({}, made.length);
    log.debug("event.decided", {
      ...known,
      decision,
      deliveries: made.length,
      reason: decided.reason,
    });
  };
}
