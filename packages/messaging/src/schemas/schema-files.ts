/** Our schemas (schemas/*.avsc), with which every value is written, and which record each topic carries. */
import { readFileSync } from "node:fs";
import { SCHEMAS_FOLDER } from "@postrider/runtime";
import type { TopicValues } from "../record.ts";

/** The records of schemas/*.avsc that are the value of a topic. */
export type RecordName =
  | "WebhookEvent"
  | "Delivery"
  | "DeadLetter"
  | "Attempt"
  | "Intake"
  | "Signal"
  | "AuditEntry"
  | "Endpoint"
  | "ControlEntry";

/** The record that a topic (its name without the prefix) carries; every tier carries deliveries. */
export function recordNameOf(topic: keyof TopicValues): RecordName {
  return topic in BY_TOPIC
    ? BY_TOPIC[topic as keyof typeof BY_TOPIC]
    : "Delivery";
}

/** Each record's schema as JSON text. Reads the files at each call; throws if one is missing. */
export function readSchemaFiles(): ReadonlyMap<RecordName, string> {
  return new Map(
    Object.entries(FILES).map(([name, file]) => [
      // The keys of FILES are the names.
      name as RecordName,
      readFileSync(new URL(file, SCHEMAS_FOLDER), "utf8"),
    ]),
  );
}

const FILES: Readonly<Record<RecordName, string>> = {
  WebhookEvent: "webhook-event.avsc",
  Delivery: "delivery.avsc",
  DeadLetter: "dead-letter.avsc",
  Attempt: "attempt.avsc",
  Intake: "intake.avsc",
  Signal: "signal.avsc",
  AuditEntry: "audit-entry.avsc",
  Endpoint: "endpoint.avsc",
  ControlEntry: "control-entry.avsc",
};

const BY_TOPIC = {
  events: "WebhookEvent",
  deliveries: "Delivery",
  "dead-letters": "DeadLetter",
  attempts: "Attempt",
  intake: "Intake",
  signals: "Signal",
  audit: "AuditEntry",
  endpoints: "Endpoint",
  control: "ControlEntry",
} as const satisfies Partial<Record<keyof TopicValues, RecordName>>;
