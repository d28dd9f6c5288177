/** What the AsyncAPI document says of each topic, beside what the code knows itself. */
import {
  recordNameOf,
  type TopicValues,
} from "../packages/messaging/src/index.ts";

/** What a topic is to the teams around Postrider. */
type Side = "write" | "read" | "internal";

interface TopicText {
  readonly side: Side;
  readonly holds: string;
  readonly key: string;
}

const BY_ENDPOINT = "The endpoint's id.";

/** Each topic but the tiers, by its name without the prefix. */
export const TOPICS: Readonly<Record<string, TopicText>> = {
  events: {
    side: "write",
    holds: "What happened, in any of the forms of docs/publishing.md.",
    key: "The publisher's choice: one key for each event, so that repeats meet in one partition. The door uses `tenantId:eventId`.",
  },
  deliveries: {
    side: "internal",
    holds: "One event for one endpoint, to be sent now.",
    key: BY_ENDPOINT,
  },
  "dead-letters": {
    side: "read",
    holds:
      "What was given up, with the reason, and what is parked for a paused endpoint.",
    key: `${BY_ENDPOINT} Of a record that could not be read: that record's key.`,
  },
  attempts: {
    side: "read",
    holds:
      "Each request that was made, and what it showed; and the first wait of a delivery for each reason, as attempt 0.",
    key: BY_ENDPOINT,
  },
  intake: {
    side: "read",
    holds: "Each event that came in, and what was decided.",
    key: "`tenantId:eventId`.",
  },
  signals: {
    side: "read",
    holds:
      "Changes in the health of an endpoint; that a tenant's dead letters grow, and that a replay is done.",
    key: `${BY_ENDPOINT} Of a signal that is about none: the tenant's.`,
  },
  audit: {
    side: "read",
    holds: "Who changed what, and why.",
    key: "The id of what was changed.",
  },
  endpoints: {
    side: "internal",
    holds:
      "Each endpoint as it is. Its secrets are sealed. A tombstone: the endpoint was deleted.",
    key: BY_ENDPOINT,
  },
  control: {
    side: "internal",
    holds:
      "What control knows beside the endpoints: API keys (hashed), replays and resumes. A tombstone: there is no such thing any more.",
    key: "`key:`, `replay:` or `resume:` and an id.",
  },
  schemas: {
    side: "internal",
    holds:
      "Each Avro schema with which values were written, as JSON text: for readers without a schema registry.",
    key: "The schema's CRC-64-AVRO fingerprint, as 16 hexadecimal digits.",
  },
};

export const SIDES: Readonly<Record<Side, string>> = {
  write: "Yours to write.",
  read: "Yours to read.",
  internal:
    "Written and read by Postrider alone; it may change with any version.",
};

const TIER: TopicText = {
  side: "internal",
  holds: "Deliveries that wait: for a retry, or for their turn.",
  key: BY_ENDPOINT,
};

export function textOf(topic: string): TopicText {
  if (topic.startsWith("retry.")) return TIER;
  const text = TOPICS[topic];
  if (text === undefined)
    throw new Error(
      `scripts/asyncapi-topics.ts says nothing of topic ${topic}`,
    );
  return text;
}

const EVENT_FORMS = [
  "EventEnvelope",
  "WebhookEvent",
  "CloudEventBinary",
  "CloudEventStructured",
];

export function messageNamesOf(topic: string): readonly string[] {
  if (topic === "events") return EVENT_FORMS;
  if (topic === "schemas") return ["Schema"];
  // Every topic of the plan but `schemas` has a value of ours.
  return [recordNameOf(topic as keyof TopicValues)];
}
