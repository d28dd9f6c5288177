import type { OutRecord } from "./record.ts";

/**
 * A value does not fit the schema of its topic: a bug, or a value that nobody foresaw. To encode it again fails again. The value
 * may hold a payload or a secret: it is not in the message, and a log line of the error leaves `record` out.
 */
export class UnfitValueError extends Error {
  override readonly name = "UnfitValueError";
  readonly code = "UNFIT_VALUE";
  /** The topic's name below the prefix. */
  readonly topic: OutRecord["topic"];
  /** Where in the value: `inline.secrets[0].kid`; empty for the whole. */
  readonly field: string;
  /** What the schema wants there: `long`, `null or string`. */
  readonly rule: string;
  readonly #record: OutRecord;

  constructor(record: OutRecord, field: string, rule: string) {
    const where = field === "" ? "the value" : field;
    super(
      `a value for ${record.topic} does not fit its schema: ${where} must be ${rule}`,
    );
    this.topic = record.topic;
    this.field = field;
    this.rule = rule;
    this.#record = record;
  }

  /** What was to be encoded. */
  get record(): OutRecord {
    return this.#record;
  }
}
