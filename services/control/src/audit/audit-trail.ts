import type { ProducerRecord } from "@postrider/messaging";

/** What someone did, or what Postrider did by itself, as the topic `audit` keeps it. Holds no secret, no key and no body. */
export interface AuditFact {
  /** Id of the key that asked for it (`caller.keyId`); `postrider` for what no caller asked for. */
  readonly actor: string;
  /** Owner of the subject; null where it belongs to no single tenant. */
  readonly tenantId: string | null;
  readonly subject: "endpoint" | "key" | "replay";
  readonly subjectId: string;
  /** In the past tense: `created`, `changed`, `paused`, `revoked`, … */
  readonly action: string;
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
