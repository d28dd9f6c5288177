/** A made-up delivery while it is told: what has been recorded of it so far. `at` is when its next turn is. */
import type { Attempt, Delivery, EpochMs } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { anAttempt } from "@postrider/testkit";
import type { Wait } from "./made-up-attempt.ts";
import {
  deadLetterOf,
  deliveryOf,
  intakeOf,
  shared,
  type Published,
} from "./made-up-records.ts";

const DEFERRAL = {
  attemptNumber: 0,
  outcome: null,
  statusCode: null,
  disposition: "defer",
  durationMs: 0,
  ttfbMs: 0,
  connectMs: 0,
  responseBytes: 0,
  responseBody: Buffer.alloc(0),
  requestBytes: 0,
} as const;

export class ToldDelivery {
  readonly records: OutRecord[] = [];
  at: EpochMs;
  readonly #delivery: Delivery;
  #step = 0;
  #last: Attempt["lastAttempt"] = null;
  readonly #putOffFor = new Set<string>();

  constructor(published: Published) {
    this.#delivery = deliveryOf(published);
    this.at = published.receivedAt + 30;
    this.#add(intakeOf(published, this.#delivery));
  }

  /** A delivery has one record for the first time that it is put off for a reason. */
  putOff(deferralReason: string, [waitMs, tier]: Wait): void {
    const nextAttemptAt = this.at + waitMs;
    if (!this.#putOffFor.has(deferralReason))
      this.#addAttempt({
        ...DEFERRAL,
        status: this.#last === null ? "pending" : "failed",
        deferralReason,
        nextAttemptAt,
        tier,
        lastAttempt: this.#last,
      });
    this.#putOffFor.add(deferralReason);
    this.#turnAt(nextAttemptAt);
  }

  delivered(fields: Partial<Attempt>): void {
    this.#attempted(fields);
  }

  failed(fields: Partial<Attempt>, [waitMs, tier]: Wait): void {
    const nextAttemptAt = this.at + (fields.durationMs ?? 0) + waitMs;
    const next = { disposition: "retry", nextAttemptAt, tier };
    this.#attempted({ ...fields, ...next, status: "failed" });
    this.#turnAt(nextAttemptAt);
  }

  exhausted(fields: Partial<Attempt>): void {
    this.#attempted({
      ...fields,
      status: "expired",
      disposition: "dead_letter",
      deadLetterReason: "exhausted",
    });
    this.at += fields.durationMs ?? 0;
    const shown = fields.error ?? `the endpoint answered ${fields.statusCode}`;
    const { attemptNumber } = this.#last!;
    this.given("exhausted", `${shown}; attempt ${attemptNumber} was the last`);
  }

  /** Given up, or parked. */
  given(reason: string, detail: string): void {
    const delivery: Delivery = {
      ...this.#delivery,
      step: this.#step,
      lastAttempt: this.#last,
    };
    this.#add(deadLetterOf(delivery, { reason, detail, deadAt: this.at }));
  }

  #attempted(fields: Partial<Attempt>): void {
    const attemptNumber = (this.#last?.attemptNumber ?? 0) + 1;
    const trigger = attemptNumber === 1 ? "first" : "retry";
    const { outcome, statusCode, errorCode, durationMs } = this.#addAttempt({
      ...fields,
      attemptNumber,
      trigger,
    });
    this.#last = {
      attemptNumber,
      outcome: outcome ?? "delivered",
      statusCode,
      errorCode,
      durationMs,
    };
  }

  #addAttempt(fields: Partial<Attempt>): Attempt {
    const { endpointId } = this.#delivery;
    const value = anAttempt({
      ...shared(this.#delivery),
      webhookId: this.#delivery.webhookId,
      step: this.#step,
      startedAt: this.at,
      requestBytes: this.#delivery.payload.length,
      worker: "dispatcher-1",
      ...fields,
    });
    this.#add({ topic: "attempts", key: endpointId, value });
    return value;
  }

  #turnAt(at: EpochMs): void {
    this.at = at;
    this.#step += 1;
  }

  #add(record: OutRecord): void {
    this.records.push(record);
  }
}
