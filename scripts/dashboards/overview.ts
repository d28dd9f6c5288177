/** Is it well, and where not: rates, latencies, lag, retries, what is given up. */
import { of, one, quantiles, rate, type Dashboard } from "./panel.ts";

export const overview: Dashboard = {
  uid: "postrider-overview",
  title: "Postrider overview",
  panels: [
    {
      title: "Processes that are not ready",
      about: "Their /readyz says why.",
      unit: "short",
      isStat: true,
      queries: one(
        `count(${of("postrider_ready")} == 0) or 0 * count(${of("postrider_ready")})`,
      ),
    },
    {
      title: "Deliveries a second",
      about: "Attempts that were answered with 2xx.",
      unit: "ops",
      isStat: true,
      queries: one(rate("postrider_attempts_total", "", 'outcome="delivered"')),
    },
    {
      title: "Attempts that succeed",
      about: "What fails is tried again.",
      unit: "percentunit",
      isStat: true,
      queries: one(
        `${rate("postrider_attempts_total", "", 'outcome="delivered"')} / ${rate("postrider_attempts_total")}`,
      ),
    },
    {
      title: "Deliveries given up in the last hour",
      about:
        "Without those of endpoints that are paused, disabled, deleted or gone.",
      unit: "short",
      isStat: true,
      queries: one(
        `sum(increase(${of("postrider_dead_letters_total", 'reason!~"paused|gone|endpoint_disabled|endpoint_deleted"')}[1h])) or 0 * count(${of("postrider_ready")})`,
      ),
    },
    {
      title: "Events by what route decided",
      about: "invalid and refused reach nobody.",
      unit: "ops",
      queries: one(rate("postrider_events_total", "decision"), "{{decision}}"),
    },
    {
      title: "Attempts by outcome",
      about: "Everything but delivered is tried again, or given up.",
      unit: "ops",
      queries: one(rate("postrider_attempts_total", "outcome"), "{{outcome}}"),
    },
    {
      title: "Retries by the tier they waited in",
      about:
        "Attempts that are not the first of their delivery, or that had been deferred.",
      unit: "ops",
      queries: one(
        rate("postrider_attempts_total", "tier", 'tier!~"none|replay"'),
        "{{tier}}",
      ),
    },
    {
      title: "From event to success",
      about: "All waits and retries included; of deliveries that succeeded.",
      unit: "s",
      queries: quantiles("postrider_event_to_success_seconds"),
    },
    {
      title: "From due to started",
      about:
        "What an attempt waits for room. This is what is late when deliveries are late.",
      unit: "s",
      queries: quantiles("postrider_attempt_queue_seconds"),
    },
    {
      title: "Time of an attempt",
      about: "The receivers' time.",
      unit: "s",
      queries: quantiles("postrider_attempt_duration_seconds"),
    },
    {
      title: "Lag: records that are not done",
      about: "Without what waits in the tiers, which is no work.",
      unit: "short",
      queries: one(
        `sum by (stage) (${of("postrider_lag_records", 'stage!="hold"')})`,
        "{{stage}}",
      ),
    },
    {
      title: "Records that wait in the tiers",
      about:
        "Retries and deferrals. A tier may hold them for as long as its delay.",
      unit: "short",
      queries: one(
        `sum by (topic) (${of("postrider_lag_records", 'stage="hold"')})`,
        "{{topic}}",
      ),
    },
    {
      title: "How late retries are released",
      about: "A second is what is promised.",
      unit: "s",
      queries: quantiles("postrider_hold_lateness_seconds"),
    },
    {
      title: "Deliveries given up, by reason",
      about: "Each is a dead letter.",
      unit: "ops",
      queries: one(
        rate("postrider_dead_letters_total", "reason"),
        "{{reason}}",
      ),
    },
    {
      title: "Requests to the door, by status",
      about: "503: Kafka does not acknowledge in time, or the door is full.",
      unit: "reqps",
      queries: one(
        rate("postrider_door_request_seconds_count", "status"),
        "{{status}}",
      ),
    },
    {
      title: "Time of a request to the door",
      about: "Until Kafka has acknowledged its events.",
      unit: "s",
      queries: quantiles("postrider_door_request_seconds"),
    },
  ],
};
