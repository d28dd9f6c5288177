/** deliver: admit, sign, send, classify, dispose. One delivery comes in; its attempt and what follows go out, as records. */
import type {
  Delivery,
  Endpoint,
  EpochMs,
  Tier,
  UrlJudgement,
  UrlPolicy,
} from "@postrider/core";
import type {
  InRecord,
  LaneStanding,
  OutRecord,
  Stage,
  Table,
  Verdict,
} from "@postrider/messaging";
import type { Clock, Log, Meter } from "@postrider/runtime";
import {
  admit,
  type Admission,
  type EndpointView,
  type Target,
} from "./admit.ts";
import { conclude } from "./conclude.ts";
import { deliverReport, type DeliverReport } from "./deliver-report.ts";
import {
  deadLetterRecord,
  deferralRecords,
  type Deferral,
} from "./outgoing-records.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  EndpointConcurrency,
} from "./endpoint-concurrency.ts";
import {
  refusedResult,
  type AttemptResult,
  type SendResult,
} from "../send/attempt-result.ts";
import { requestHeaders } from "./request-headers.ts";
import type { Send } from "../send/sender.ts";
import { secretWaitEndsAt } from "./secret-wait.ts";
import type { Signer } from "./signer.ts";
import { TakenSteps, twinDistanceMs } from "./taken-steps.ts";
import { createUrlJudge } from "./url-judge.ts";

export interface DeliverOptions {
  /** The table of the `endpoints` topic. It must be read completely before the stage starts. */
  readonly endpoints: Pick<Table<Endpoint>, "get" | "behind">;
  readonly send: Send;
  readonly signer: Signer;
  readonly urlPolicy: UrlPolicy;
  /** Ascending, one or more. */
  readonly tiers: readonly Tier[];
  readonly userAgent: string;
  /** The name of this process in attempts. */
  readonly worker: string;
  /** The consumer group's session timeout: how long until another process takes over a killed process's partitions. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
}

/** How long a delivery waits if this process has no socket left for it. */
const LOCAL_FAULT_WAIT_MS = 1_000;

export function createDeliverStage(options: DeliverOptions): Stage<Delivery> {
  return new DeliverStage(options);
}

class DeliverStage implements Stage<Delivery> {
  readonly #options: DeliverOptions;
  readonly #report: DeliverReport;
  readonly #lanes: EndpointConcurrency;
  readonly #steps: TakenSteps;
  readonly #judge: (url: string) => UrlJudgement;
  readonly #view: EndpointView;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#report = deliverReport(options.log, options.meter);
    this.#steps = new TakenSteps({
      rememberMs: twinDistanceMs(options.sessionTimeoutMs),
      now: () => options.clock.now(),
      forgottenEarly: (steps) => this.#report.stepsForgotten(steps),
    });
    this.#judge = createUrlJudge(options.urlPolicy);
    this.#lanes = new EndpointConcurrency(options.clock);
    this.#view = {
      get: (id) => options.endpoints.get(id),
      isCurrent: () => options.endpoints.behind() === null,
      isGone: (id, version) => this.#lanes.isGone(id, version),
    };
  }

  laneOf(record: InRecord<Delivery>): string {
    return record.value.endpointId;
  }

  laneConcurrency(lane: string): number {
    const cap = this.#options.endpoints.get(lane)?.maxConcurrency;
    return this.#lanes.concurrencyOf(lane, cap ?? DEFAULT_MAX_CONCURRENCY);
  }

  laneStanding(lane: string): LaneStanding {
    return this.#lanes.standingOf(lane);
  }

  groupOf(record: InRecord<Delivery>): string {
    return record.value.tenantId;
  }

  remember({ raw, value }: InRecord<Delivery>): void {
    this.#steps.take(raw, value.deliveryId, value.step);
  }

  isRepeat({ raw, value }: InRecord<Delivery>): boolean {
    if (this.#steps.take(raw, value.deliveryId, value.step)) return false;
    this.#report.duplicateDropped();
    return true;
  }

  forget(partition: { topic: string; partition: number }): void {
    this.#steps.forget(partition);
  }

  handle(record: InRecord<Delivery>): Verdict | Promise<Verdict> {
    const now = this.#options.clock.now();
    const admission = admit(record.value, this.#view, now);
    if (admission.kind === "send")
      return this.#attempt(record, admission.target, now);
    if (admission.kind === "defer")
      return emit(this.#deferred(record.value, admission));
    return emit([this.#givenUp(record, admission, now)]);
  }

  /** Relief: the lane is too slow for the window, so the delivery waits in a tier until `slotAt`, its turn in the lane. */
  defer(record: InRecord<Delivery>, slotAt: EpochMs): Iterable<OutRecord> {
    return this.#deferred(record.value, {
      reason: "lane_slow",
      until: slotAt,
      slotAt,
    });
  }

  #attempt(
    record: InRecord<Delivery>,
    target: Target,
    startedAt: EpochMs,
  ): Verdict | Promise<Verdict> {
    const delivery = record.value;
    const url = this.#judge(target.url);
    if (!url.ok)
      return this.#concluded(
        record,
        target,
        startedAt,
        refusedResult(url.message),
      );
    const signed = this.#options.signer.sign(delivery, target, startedAt);
    if (signed.kind === "unsigned")
      return emit(this.#unsigned(record, target, startedAt, signed.problem));
    const { userAgent, send } = this.#options;
    this.#lanes.begin(delivery.endpointId, target.maxConcurrency);
    return send({
      origin: url.url.origin,
      path: url.url.path,
      headers: requestHeaders(delivery, target.headers, signed, userAgent),
      body: asBuffer(delivery.payload),
      timeoutMs: target.timeoutMs,
    }).then((result) => this.#sent(record, target, startedAt, result));
  }

  #sent(
    record: InRecord<Delivery>,
    target: Target,
    startedAt: EpochMs,
    result: SendResult,
  ): Verdict {
    const { endpointId } = record.value;
    if (result.kind === "local_fault") {
      this.#report.localFault(result.errorCode);
      const until = this.#options.clock.now() + LOCAL_FAULT_WAIT_MS;
      return emit(
        this.#deferred(record.value, { reason: "local_fault", until }),
      );
    }
    this.#lanes.ended(endpointId, result);
    if (result.released !== null)
      this.#lanes.linger(endpointId, result.released);
    return this.#concluded(record, target, startedAt, result);
  }

  #concluded(
    record: InRecord<Delivery>,
    target: Target,
    startedAt: EpochMs,
    result: AttemptResult,
  ): Verdict {
    const delivery = record.value;
    const { clock, tiers, worker } = this.#options;
    const now = clock.now();
    const conclusion = conclude(record, {
      target,
      result,
      startedAt,
      now,
      tiers,
      worker,
    });
    const { disposition } = conclusion;
    if (conclusion.isGone)
      this.#lanes.markGone(delivery.endpointId, target.endpointVersion);
    this.#report.attempted(delivery, result, conclusion);
    if (disposition.kind === "dead_letter")
      this.#report.deadLettered(delivery, disposition.reason);
    return emit(conclusion.records);
  }

  #unsigned(
    record: InRecord<Delivery>,
    target: Target,
    now: EpochMs,
    problem: string,
  ): OutRecord[] {
    const until = secretWaitEndsAt(record.value, target, now);
    if (until !== null)
      return this.#deferred(record.value, {
        reason: "secret_unavailable",
        until,
      });
    const detail = `it could not be signed before it expired: ${problem}`;
    return [
      this.#givenUp(
        record,
        { kind: "dead_letter", reason: "expired", detail },
        now,
      ),
    ];
  }

  #givenUp(
    record: InRecord<Delivery>,
    { reason, detail }: Extract<Admission, { kind: "dead_letter" }>,
    now: EpochMs,
  ): OutRecord {
    this.#report.deadLettered(record.value, reason);
    return deadLetterRecord(record, {
      reason,
      detail,
      now,
      lastOutcome: null,
      lastStatusCode: null,
    });
  }

  #deferred(
    delivery: Delivery,
    why: Pick<Deferral, "reason" | "until"> &
      Partial<Pick<Deferral, "slotAt" | "unknownSince">>,
  ): OutRecord[] {
    const { clock, tiers, worker } = this.#options;
    const { reason, until, slotAt = null, unknownSince = null } = why;
    this.#report.deferred(reason);
    const now = clock.now();
    const deferral = { reason, until, slotAt, unknownSince, now, worker };
    return deferralRecords(delivery, deferral, tiers);
  }
}

function emit(records: Iterable<OutRecord>): Verdict {
  return { kind: "emit", records };
}

/** The same memory as a Buffer, not copied: the bytes that are sent are the bytes that were signed. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
