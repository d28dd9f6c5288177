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
  LaneRateLimit,
  Stage,
  Table,
  Verdict,
} from "@postrider/messaging";
import type { Clock, Log, Meter, Tracer } from "@postrider/runtime";
import type { AttemptSpan } from "./attempt-span.ts";
import {
  admit,
  clampTimeout,
  type EndpointView,
  type Target,
} from "./admit.ts";
import { conclude } from "./conclude.ts";
import { deliverReport, type DeliverReport } from "./deliver-report.ts";
import { DeliverSpans } from "./deliver-spans.ts";
import { withoutEchoes } from "./echoed-secrets.ts";
import { withLastAttempt } from "./last-attempt-header.ts";
import type { BreakerChange, Permit } from "../breaker/breaker.ts";
import { EndpointBreakers } from "../breaker/endpoint-breakers.ts";
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
import { RateLimits } from "./rate-limits.ts";
import type { Signer } from "./signer.ts";
import { TakenSteps, twinDistanceMs } from "./taken-steps.ts";
import { createUnsent, type Unsent } from "./unsent.ts";
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
  /** The consumer group that reads the deliveries. */
  readonly groupId: string;
  /** The consumer group's session timeout: how long until another process takes over a killed process's partitions. */
  readonly sessionTimeoutMs: number;
  /** At least 0, below 1: the jitter of open breakers. */
  readonly random01: () => number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly tracer: Tracer;
}

/** An attempt that was made, or is about to be. */
interface Attempted {
  readonly record: InRecord<Delivery>;
  readonly target: Target;
  /** The target's headers, as they are sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly startedAt: EpochMs;
  /** Null without tracing. */
  readonly span: AttemptSpan | null;
}

/** A limit is known: a delivery whose turn comes after its end need not wait for it. */
const NO_TURN = {
  kind: "dead_letter",
  reason: "expired",
  detail: "its turn by the endpoint's rate limit comes after its expiresAt",
} as const;

/** How long a delivery waits if this process has no socket left for it. */
const LOCAL_FAULT_WAIT_MS = 1_000;

export function createDeliverStage(options: DeliverOptions): Stage<Delivery> {
  return new DeliverStage(options);
}

class DeliverStage implements Stage<Delivery> {
  readonly #options: DeliverOptions;
  readonly #report: DeliverReport;
  readonly #spans: DeliverSpans | null;
  readonly #unsent: Unsent;
  readonly #lanes: EndpointConcurrency;
  readonly #breakers: EndpointBreakers;
  readonly #limits: RateLimits;
  readonly #steps: TakenSteps;
  readonly #judge: (url: string) => UrlJudgement;
  readonly #view: EndpointView;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#report = deliverReport(options.log, options.meter, () =>
      this.#breakers.counts(),
    );
    this.#steps = new TakenSteps({
      rememberMs: twinDistanceMs(options.sessionTimeoutMs),
      now: () => options.clock.now(),
      forgottenEarly: (steps) => this.#report.stepsForgotten(steps),
    });
    this.#judge = createUrlJudge(options.urlPolicy);
    const report = this.#report;
    const { tracer, groupId } = options;
    const spans = tracer.isOn ? new DeliverSpans(tracer, groupId) : null;
    this.#spans = spans;
    this.#unsent = createUnsent({ ...options, report, spans });
    this.#lanes = new EndpointConcurrency(options.clock);
    this.#breakers = new EndpointBreakers({
      clock: options.clock,
      random01: options.random01,
    });
    this.#limits = new RateLimits(options.clock);
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
    const endpoint = this.#options.endpoints.get(lane);
    const cap = endpoint?.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    switch (this.#breakers.passageOf(lane)) {
      case "attempt":
        return this.#lanes.concurrencyOf(lane, cap);
      // No more probes start than may, because this is asked before each start. Attempts from before the breaker opened may be under way beside them.
      case "probe":
        return Math.max(1, cap);
      // The end of a probe lets the runner ask again.
      case "decision":
        return 0;
      // However many attempts are still under way. What bounds a backlog that is deferred is the runner's gate: it looks at the output before each start.
      case "deferral":
        return Infinity;
    }
  }

  /** What is deferred at once waits for no endpoint, so it need not stand in line with what does. */
  laneStanding(lane: string): LaneStanding {
    return this.#breakers.defersAll(lane)
      ? "proven"
      : this.#lanes.standingOf(lane);
  }

  /** No limit while nothing would be sent: what is parked, given up or deferred at once need not wait for its turn. */
  laneRateLimit(lane: string): LaneRateLimit | undefined {
    const endpoint = this.#options.endpoints.get(lane);
    if (endpoint?.rateLimit == null) return this.#limits.limitOf(endpoint);
    const isSent =
      endpoint.state === "enabled" && !this.#breakers.defersAll(lane);
    return isSent ? this.#limits.limitOf(endpoint) : undefined;
  }

  /** An inline destination says its own with each delivery. */
  longestMs(lane: string): number {
    const endpoint = this.#options.endpoints.get(lane);
    return clampTimeout(endpoint?.timeoutMs ?? Infinity);
  }

  hasTurn({ value }: InRecord<Delivery>): boolean {
    return value.slotAt !== null && value.deferralReason === "rate_limited";
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
      return emit(this.#unsent.deferred(record, admission));
    return emit(this.#unsent.givenUp(record, admission, now));
  }

  /** Relief: the lane is too slow for the window, or its rate limit is (`isTurn`), so the delivery waits in a tier until `slotAt`. */
  defer(
    record: InRecord<Delivery>,
    slotAt: EpochMs,
    isTurn: boolean,
  ): Iterable<OutRecord> {
    const { expiresAt } = record.value;
    if (isTurn && expiresAt !== null && slotAt > expiresAt)
      return this.#unsent.givenUp(record, NO_TURN, this.#options.clock.now());
    const reason = isTurn ? "rate_limited" : "lane_slow";
    const wait = { reason, until: slotAt, slotAt } as const;
    return this.#unsent.deferred(record, wait);
  }

  #attempt(
    record: InRecord<Delivery>,
    target: Target,
    startedAt: EpochMs,
  ): Verdict | Promise<Verdict> {
    const delivery = record.value;
    const { endpointId } = delivery;
    const url = this.#judge(target.url);
    if (!url.ok) {
      const span = this.#spans?.attempt(record) ?? null;
      const attempt = { record, target, headers: {}, startedAt, span };
      return this.#concluded(attempt, refusedResult(url.message), null);
    }
    // Before signing, which costs more than all else here: a backlog may be deferred many times.
    const wait = this.#breakers.waitOf(endpointId);
    if (wait !== null)
      return emit(
        this.#unsent.deferred(record, { ...wait, slotAt: wait.until }),
      );
    const signed = this.#options.signer.sign(delivery, target, startedAt);
    if (signed.kind === "unsigned")
      return emit(
        this.#unsent.unsigned(record, target, startedAt, signed.problem),
      );
    const isKnown = this.#lanes.knows(endpointId);
    const permit = this.#breakers.begin(delivery, isKnown);
    const { userAgent, send } = this.#options;
    this.#lanes.begin(endpointId, target.maxConcurrency);
    this.#limits.started(endpointId);
    const span = this.#spans?.attempt(record) ?? null;
    const traced = span?.request(target.method, url.url) ?? delivery;
    const { headers } = signed;
    const attempt = { record, target, headers, startedAt, span };
    return send({
      origin: url.url.origin,
      path: url.url.path,
      method: target.method,
      headers: requestHeaders(traced, headers, signed, userAgent),
      body: asBuffer(delivery.payload),
      timeoutMs: target.timeoutMs,
    }).then((result) => this.#sent(attempt, permit, result));
  }

  #sent(attempt: Attempted, permit: Permit, result: SendResult): Verdict {
    const delivery = attempt.record.value;
    const { endpointId } = delivery;
    if (result.kind === "local_fault") {
      this.#breakers.undecided(endpointId, permit);
      this.#lanes.notSent(endpointId);
      this.#limits.notSent(endpointId);
      this.#report.localFault(result.errorCode);
      const until = this.#options.clock.now() + LOCAL_FAULT_WAIT_MS;
      return emit(
        this.#unsent.deferred(attempt.record, { reason: "local_fault", until }),
      );
    }
    this.#lanes.ended(endpointId, result);
    if (result.released !== null)
      this.#lanes.linger(endpointId, result.released);
    const { change, holdMs } = this.#breakers.ended(
      endpointId,
      permit,
      result,
      this.#lanes.hasAnswered(endpointId),
    );
    if (holdMs > 0 || change?.kind === "closed")
      this.#lanes.restart(endpointId);
    if (change !== null) this.#report.breakerChanged(delivery, change, result);
    return this.#concluded(attempt, result, change);
  }

  #concluded(
    { record, target, headers, startedAt, span }: Attempted,
    answered: AttemptResult,
    change: BreakerChange | null,
  ): Verdict {
    const delivery = record.value;
    const result = withoutEchoes(answered, headers, delivery.headers);
    const { clock, tiers, worker } = this.#options;
    const now = clock.now();
    const conclusion = conclude(record, {
      target,
      result,
      change,
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
    if (span === null) return emit(conclusion.records);
    span.concluded(result, conclusion);
    return emit(withLastAttempt(conclusion.records, span.traceparent));
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
