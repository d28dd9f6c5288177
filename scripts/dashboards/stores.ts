/** What goes to Kafka and to ClickHouse: commits, output, tables, inserts. */
import { of, one, quantiles, rate, type Dashboard } from "./panel.ts";

export const stores: Dashboard = {
  uid: "postrider-stores",
  title: "Postrider Kafka and ClickHouse",
  panels: [
    {
      title: "Commit age",
      about:
        "From a completion to the acknowledgement of its commit; a crash repeats about so much.",
      unit: "s",
      queries: quantiles(
        "postrider_commit_age_seconds",
        "stage",
        "",
        [0.5, 0.99],
      ),
    },
    {
      title: "Oldest completion that is not committed",
      about:
        "Above a second no new request starts; above five the service is not ready.",
      unit: "s",
      queries: one(
        `max by (stage) (${of("postrider_uncommitted_age_seconds")})`,
        "{{stage}}",
      ),
    },
    {
      title: "Assignments of partitions",
      about: "Two or three with each process that comes or goes.",
      unit: "short",
      queries: one(
        `sum by (stage) (increase(${of("postrider_assignments_total")}[5m]))`,
        "{{stage}}",
      ),
    },
    {
      title: "Records written, by topic",
      about: "Acknowledged by all in-sync replicas.",
      unit: "ops",
      queries: one(
        rate("postrider_output_records_total", "topic"),
        "{{topic}}",
      ),
    },
    {
      title: "Records in a batch",
      about: "Of what is written.",
      unit: "short",
      queries: one(
        `${rate("postrider_output_records_total", "service")} / ${rate("postrider_output_batches_total", "service")}`,
        "{{service}}",
      ),
    },
    {
      title: "What fails and is tried again",
      about: "Batches, commits, handlers.",
      unit: "ops",
      queries: [
        ...one(
          rate("postrider_output_failures_total", "service"),
          "output of {{service}}",
        ),
        ...one(
          rate("postrider_commit_failures_total", "stage, kind"),
          "commits of {{stage}}: {{kind}}",
        ),
        ...one(
          rate("postrider_handler_errors_total", "stage"),
          "handlers of {{stage}}",
        ),
      ],
    },
    {
      title: "Records that could not be handled",
      about: "Anything here raises an alert.",
      unit: "ops",
      queries: [
        ...one(
          rate("postrider_unreadable_total", "topic, reason"),
          "unreadable, {{topic}}: {{reason}}",
        ),
        ...one(
          rate("postrider_rejected_total", "stage, reason"),
          "rejected by {{stage}}: {{reason}}",
        ),
        ...one(
          rate("postrider_table_unreadable_total", "topic"),
          "table, {{topic}}",
        ),
        ...one(
          rate("postrider_lost_offsets_total", "stage"),
          "lost before {{stage}}",
        ),
        ...one(
          rate("postrider_lost_records_total", "topic"),
          "lost before recorded, {{topic}}",
        ),
      ],
    },
    {
      title: "Records that wait for their schema",
      about: "The registry is away, or lacks it.",
      unit: "short",
      queries: one(
        `sum by (stage) (${of("postrider_schema_waiting_records")})`,
        "{{stage}}",
      ),
    },
    {
      title: "Endpoints in the tables",
      about: "The largest of each service; they should agree.",
      unit: "short",
      queries: one(
        `max by (service, topic) (${of("postrider_table_entries")})`,
        "{{service}} {{topic}}",
      ),
    },
    {
      title: "Records that are not in ClickHouse yet",
      about: "Nothing waits for them but people.",
      unit: "short",
      queries: one(
        `sum by (topic) (${of("postrider_record_lag_records")})`,
        "{{topic}}",
      ),
    },
    {
      title: "Rows recorded",
      about: "In acknowledged inserts.",
      unit: "ops",
      queries: one(rate("postrider_recorded_rows_total", "table"), "{{table}}"),
    },
    {
      title: "Time of an insert",
      about: "Of attempts, which feeds three tables more.",
      unit: "s",
      queries: quantiles("postrider_insert_seconds", "", 'table="attempts"'),
    },
    {
      title: "Inserts that fail, rows refused or put back",
      about: "Failed inserts are tried again.",
      unit: "ops",
      queries: [
        ...one(
          rate("postrider_insert_failures_total", "table"),
          "failed, {{table}}",
        ),
        ...one(
          rate("postrider_refused_records_total", "table, reason"),
          "refused, {{table}}: {{reason}}",
        ),
        ...one(
          rate("postrider_mended_rows_total", "table"),
          "put back, {{table}}",
        ),
      ],
    },
    {
      title: "Our clock less the broker's",
      about: "With the time that the youngest record took to get here.",
      unit: "s",
      queries: one(
        of("postrider_broker_clock_difference_seconds"),
        "{{instance}}",
      ),
    },
    {
      title: "Requests to control, p99",
      about: "By route.",
      unit: "s",
      queries: quantiles(
        "postrider_control_request_seconds",
        "route",
        "",
        [0.99],
      ),
    },
    {
      title: "Resumes that run",
      about: "And how old the oldest is, in minutes.",
      unit: "short",
      queries: [
        ...one(`sum(${of("postrider_resumes_running")})`, "running"),
        ...one(
          `max(${of("postrider_resume_oldest_seconds")}) / 60`,
          "oldest, minutes",
        ),
      ],
    },
    {
      title: "Replays that run",
      about: "And how long one of them has got no further, in minutes.",
      unit: "short",
      queries: [
        ...one(`sum(${of("postrider_replays_running")})`, "running"),
        ...one(
          `max(${of("postrider_replay_standstill_seconds")}) / 60`,
          "standstill, minutes",
        ),
      ],
    },
  ],
};
