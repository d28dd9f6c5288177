import {
  partitionOf,
  type OutRecord,
  type ProducerRecord,
} from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";

/** Every action that is recorded, in the past tense. */
export const AUDIT_ACTIONS = [
  "created",
  "changed",
  "secret_rotated",
  "secrets_reencrypted",
  "paused",
  "resumed",
  "disabled",
  "enabled",
  "deleted",
  "tested",
  "resume_cancelled",
  "resume_restarted",
  "revoked",
  "cancelled",
  "done",
  "left_out",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What someone did, or what Postrider did by itself, as the topic `audit` keeps it. Holds no secret, no key and no body. */
export interface AuditFact {
  /** Id of the key that asked for it (`caller.keyId`); `postrider` for what no caller asked for. */
  readonly actor: string;
  /** Owner of the subject; null where it belongs to no single tenant. */
  readonly tenantId: string | null;
  readonly subject:
    "endpoint" | "key" | "replay" | "event_type" | "type_policy";
  readonly subjectId: string;
  readonly action: AuditAction;
  /** Why, in the caller's words; empty where none were given. */
  readonly why: string;
  /** What changed, by field; kept as JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** Request id of the call; empty where no caller asked for it. */
  readonly requestId: string;
}

/** Makes the record that is written in the same transaction as the change itself: a change without its record cannot be. */
export interface AuditTrail {
  recordOf(fact: AuditFact): ProducerRecord;
}

export interface AuditTrailOptions {
  readonly encode: (record: OutRecord) => Buffer;
  /** Full name of the topic `audit`. */
  readonly topic: string;
  /** How many partitions the topic has in this tenure. */
  readonly partitions: () => number;
  readonly clock: Clock;
}

/** Records are keyed by their subject, so what happened to it stays in order. */
export function createAuditTrail(options: AuditTrailOptions): AuditTrail {
  const { encode, topic, partitions, clock } = options;
  return {
    recordOf({ detail, ...fact }) {
      const key = Buffer.from(fact.subjectId);
      const entry = {
        ...fact,
        at: clock.now(),
        detail: JSON.stringify(detail, shortened),
      };
      return {
        topic,
        partition: partitionOf(key, partitions()),
        key,
        value: encode({ topic: "audit", key: fact.subjectId, value: entry }),
      };
    },
  };
}

/** Longest text within `detail`, in characters. It keeps a record far below the broker's limit of 1 MiB, which would refuse the change with it. */
const MAX_TEXT = 2_000;

/** For `JSON.stringify`. */
function shortened(_name: string, value: unknown): unknown {
  return typeof value === "string" && value.length > MAX_TEXT
    ? `${value.slice(0, MAX_TEXT)}… (${value.length} characters)`
    : value;
}
