import type { OutRecord } from "./record.ts";

/**
 * A value does not fit the schema of its topic: a bug, or an unexpected value. Encoding it again would fail again. The value may hold
 * a payload or a secret, so the message does not contain it, and `record` does not appear when the error is logged.
 */
export class UnfitValueError extends Error {
  override readonly name = "UnfitValueError";
  readonly code = "UNFIT_VALUE";
  /** The topic's name, without the prefix. */
  readonly topic: OutRecord["topic"];
  /** The path in the value, for example `inline.secrets[0].kid`; empty for the whole value. */
  readonly field: string;
  /** What the schema wants there, for example `long`, `null or string`. */
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

  /** The record that could not be encoded. */
  get record(): OutRecord {
    return this.#record;
  }
}
