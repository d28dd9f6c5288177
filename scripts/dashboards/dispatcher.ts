/** Lanes, attempts in flight, breakers, rate limits, connections. */
import { of, one, rate, type Dashboard } from "./panel.ts";

export const dispatcher: Dashboard = {
  uid: "postrider-dispatcher",
  title: "Postrider dispatcher",
  panels: [
    {
      title: "Attempts in flight",
      about: "At most POSTRIDER_MAX_IN_FLIGHT in each dispatcher.",
      unit: "short",
      queries: one(
        of("postrider_in_flight", 'stage="deliver"'),
        "{{instance}}",
      ),
    },
    {
      title: "Records that have not started",
      about:
        "In memory: they wait for a slot, for their lane, or for a rate limit.",
      unit: "short",
      queries: one(
        of("postrider_queued_records", 'stage="deliver"'),
        "{{instance}}",
      ),
    },
    {
      title: "Backlog that is not read yet",
      about: "Windows are full. Above 0 for long, dispatchers are too few.",
      unit: "short",
      queries: one(
        `sum(${of("postrider_lag_records", 'stage="deliver"')}) - sum(${of("postrider_open_records", 'stage="deliver"')})`,
        "unread",
      ),
    },
    {
      title: "Lanes",
      about:
        "Endpoints that have records, or had some lately; throttled: a rate limit lets none start now.",
      unit: "short",
      queries: [
        ...one(`sum(${of("postrider_lanes", 'stage="deliver"')})`, "all"),
        ...one(
          `sum(${of("postrider_throttled_lanes", 'stage="deliver"')})`,
          "throttled",
        ),
      ],
    },
    {
      title: "Circuit breakers that are not closed",
      about: "Endpoints that get no requests but probes.",
      unit: "short",
      queries: one(`sum by (state) (${of("postrider_breakers")})`, "{{state}}"),
    },
    {
      title: "Changes of circuit breakers",
      about:
        "Opened and closed again and again: flapping. Reopened: a probe failed.",
      unit: "ops",
      queries: [
        ...one(rate("postrider_breakers_opened_total"), "opened"),
        ...one(rate("postrider_breakers_reopened_total"), "reopened"),
        ...one(rate("postrider_breakers_closed_total"), "closed"),
      ],
    },
    {
      title: "Deferrals by reason",
      about: "Waits that spend no attempt.",
      unit: "ops",
      queries: one(
        rate("postrider_deliveries_deferred_total", "reason"),
        "{{reason}}",
      ),
    },
    {
      title: "Attempts over a connection that had served before",
      about:
        "Receivers that close after each answer cost a handshake for each attempt.",
      unit: "percentunit",
      queries: one(
        `${rate("postrider_attempts_total", "", 'connection="reused"')} / ${rate("postrider_attempts_total")}`,
        "reused",
      ),
    },
    {
      title: "Connections opened",
      about: "To endpoints.",
      unit: "cps",
      queries: one(rate("postrider_connections_opened_total"), "opened"),
    },
    {
      title: "Sockets to endpoints",
      about: "Open, or being opened.",
      unit: "short",
      queries: one(of("postrider_sockets"), "{{instance}}"),
    },
    {
      title: "Short of connections",
      about:
        "Idle connections that were closed, by why; and attempts that had no socket or port.",
      unit: "ops",
      queries: [
        ...one(
          rate("postrider_connections_evicted_total", "why"),
          "closed: {{why}}",
        ),
        ...one(rate("postrider_local_faults_total"), "no socket or port"),
      ],
    },
    {
      title: "Repeats",
      about:
        "Dropped: recognised, as after a crash. Forgotten early: might not be recognised.",
      unit: "ops",
      queries: [
        ...one(rate("postrider_duplicates_dropped_total"), "dropped"),
        ...one(
          rate("postrider_steps_forgotten_early_total"),
          "forgotten early",
        ),
      ],
    },
  ],
};
