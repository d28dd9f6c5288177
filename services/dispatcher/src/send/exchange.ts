/**
 * One attempt's HTTP exchange: the handler object that undici calls, and the entry on the deadline wheel.
 *
 *     waiting ──onRequestStart──▶ running ──end, error, body cap, deadline──▶ settled
 *       │ ▲                          │
 *       │ └──────── sendAgain ───────┘
 *       ├── makeRoom ──▶ waiting
 *       └── error, deadline ──▶ settled
 *
 * Waiting means that there is no controller yet: DNS, connect, TLS, or undici's look at a kept connection. A request that a
 * close crossed is sent once more at most (`sendAgain`), and so is one that has not begun when its kept connection breaks.
 * Room is made for an exchange at most once. An exchange settles exactly once. After a final status, the body
 * has at most one second, and never longer than the attempt's deadline.
 *
 * An exchange whose request has not begun, and that fails for a fault of this process, is a local fault: no attempt. Once the
 * request has begun, the receiver may have it, so it is an attempt, whatever becomes of its second sending.
 *
 * Once a final status was received, nothing else in the answer changes the outcome; later flaws are noted in `error`.
 *
 * If the deadline passes while waiting, nothing more is sent: the connecting socket is destroyed if it is known, otherwise
 * `onRequestStart` aborts. `released` resolves when that has happened.
 */
import type { MonotonicMs } from "@postrider/core";
import type { AnswerHead } from "./answer-head.ts";
import {
  BodyCapError,
  BodyLateError,
  classifyError,
  DeadlineError,
  isProtocolError,
  isShortage,
  isTooLarge,
  type Failure,
} from "./classify-failure.ts";
import type { Poolable } from "./connection-pool.ts";
import type { Deadline } from "./deadline-wheel.ts";
import type { AttemptResult, SendResult } from "./attempt-result.ts";
import { idleRaceMs } from "./idle-race.ts";
import {
  ResponseSoFar,
  type AnswerHeaders,
  type AnswerResult,
} from "./response.ts";

/** The request for undici. Kept, because it may be sent once more, over another connection, within the attempt. */
export interface ExchangeRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
  readonly body: Buffer;
}

/** Phases of the connection an exchange opened, in milliseconds. */
export interface ConnectTimings {
  dnsMs: number;
  connectMs: number;
  tlsMs: number;
}

/** The connection an exchange goes over. */
export interface ExchangeConnection extends Poolable {
  run(exchange: Exchange): void;
  rest(): void;
  /** Closes the socket, shortly after the call. */
  close(): void;
  /** Closes the socket; resolves when it is closed. */
  destroy(): Promise<void>;
  /** Timings of the socket if it was opened for this exchange; null if it has served before. */
  takeTimings(): ConnectTimings | null;
  /** What its socket took to connect: about a round trip. */
  readonly connectMs: number;
  /** The IP address to which its socket is connected; null before. */
  readonly remoteAddress: string | null;
  /** The first bytes of the answer it waits for. */
  readonly answerHead: AnswerHead;
  /** The error that broke the socket; null while it is connected, and if it was closed in order. */
  readonly lostBy: Error | null;
}

/** What an exchange calls on the sender. */
export interface ExchangeHost {
  monotonic(): MonotonicMs;
  /** Sends the exchange once more, over a new connection. */
  sendAgain(exchange: Exchange): void;
  /** No descriptor is left for the exchange's connection: closes some resting ones, then opens the connection anew. False: none rests. */
  makeRoom(exchange: Exchange, errorCode: string): boolean;
  /** A final status has arrived: the wheel calls `onDeadline` at `dueAt`, and no longer at the attempt's deadline. */
  answered(exchange: Exchange, dueAt: MonotonicMs): void;
  /** The exchange is settled: removes it from the wheel. Called once. */
  settled(exchange: Exchange): void;
  /** The answer arrived completely: puts the connection back into the pool once undici has freed it, then calls `tell`. */
  ended(exchange: Exchange): void;
  /** The exchange's connection cannot be used again: closes it. */
  failed(exchange: Exchange): void;
}

/** The part of undici's controller that is used. */
export interface ExchangeController {
  abort(reason: Error): void;
}

/** How long a body may take after the final status. The body does not change the outcome: it is read for the attempt's record, and so that the connection can be used again. */
const BODY_MS = 1_000;
const SENT_TWICE = "sent twice: the kept connection closed under the request";
const SENT_BEFORE =
  "sent once before: the kept connection closed under the request";

export class Exchange implements Deadline {
  dueAt = 0;
  wheelBucket = -1;
  wheelPrevious: Deadline | null = null;
  wheelNext: Deadline | null = null;

  readonly request: ExchangeRequest;
  /** The socket that is being opened for this exchange, if known. */
  connecting: { destroy(error: Error): unknown } | null = null;
  /** Set by the connection that runs the exchange. While `makeRoom` closes others, `connection` still holds the closed one. */
  connection: ExchangeConnection | null = null;

  readonly #host: ExchangeHost;
  readonly #resolve: (result: SendResult) => void;
  readonly #startedAt: MonotonicMs;
  #sentAt: MonotonicMs = 0;
  #ttfbMs = 0;
  #controller: ExchangeController | null = null;
  #timings: ConnectTimings | null = null;
  #isReused = false;
  #remoteAddress: string | null = null;
  /** How the kept connection closed under the request; null unless that happened. */
  #crossedBy: Failure | null = null;
  #isSentTwice = false;
  #hasAskedForRoom = false;
  #isSettled = false;
  /** The answer ended and its framing is sound: the connection may be used again. */
  #isReusable = false;
  #isBodyLate = false;
  #result: SendResult | null = null;
  readonly #answer = new ResponseSoFar();
  #release: (() => void) | null = null;

  constructor(
    host: ExchangeHost,
    request: ExchangeRequest,
    startedAt: MonotonicMs,
    resolve: (result: SendResult) => void,
  ) {
    this.#host = host;
    this.request = request;
    this.#startedAt = startedAt;
    this.#resolve = resolve;
  }

  onRequestStart(controller: ExchangeController): void {
    if (this.#isSettled) {
      controller.abort(
        new DeadlineError("the deadline passed before the request could start"),
      );
      return;
    }
    this.#controller = controller;
    this.connecting = null;
    this.#isSentTwice = this.#crossedBy !== null;
    this.#timings = this.connection?.takeTimings() ?? null;
    this.#isReused = this.#timings === null;
    this.#remoteAddress = this.connection?.remoteAddress ?? null;
    this.connection?.answerHead.expect();
    this.#sentAt = this.#host.monotonic();
  }

  onResponseStart(
    controller: ExchangeController,
    statusCode: number,
    headers: AnswerHeaders,
  ): void {
    // Skip informational answers. AnswerHead removes them, except a 101 and what follows it, and ends an endless series.
    if (this.#isSettled || (statusCode >= 100 && statusCode < 200)) return;
    const broken = this.#answer.start(statusCode, headers);
    if (broken !== null) {
      this.#settle(classifyError(broken));
      controller.abort(broken);
      return;
    }
    const now = this.#host.monotonic();
    this.#ttfbMs = now - this.#sentAt;
    this.#host.answered(this, Math.min(this.dueAt, now + BODY_MS));
  }

  onResponseData(controller: ExchangeController, chunk: Buffer): void {
    if (this.#isSettled) return;
    if (!this.#answer.data(chunk)) {
      this.#settle(null);
      controller.abort(new BodyCapError("the body is longer than 64 KiB"));
    }
  }

  onResponseEnd(): void {
    this.connection?.answerHead.pace.restart();
    this.#isReusable = !this.#answer.isFlawed;
    if (!this.#isReusable) this.#host.failed(this);
    this.#settle(null);
  }

  /** undici also calls it after our own `abort`, when the exchange is settled: then it only closes the connection and resolves `released`. */
  onResponseError(_controller: ExchangeController | null, error: Error): void {
    const failure = classifyError(error);
    if (!this.#isSettled && this.#brokeBefore(failure))
      return this.#host.sendAgain(this);
    if (!this.#isSettled && this.#closeCrossedRequest(error)) {
      this.#crossedBy = failure;
      this.#controller = null;
      this.#host.sendAgain(this);
      return;
    }
    if (this.#needsRoom(failure)) {
      this.#hasAskedForRoom = true;
      if (this.#host.makeRoom(this, failure.errorCode)) return;
    }
    this.#host.failed(this);
    if (isProtocolError(failure) || isTooLarge(failure))
      this.#takeStatusOfRefusedHead();
    this.#settle(failure);
    this.#release?.();
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The exchange settled (at its deadline) while the sender was closing connections for it; no connection is opened any more. */
  abandoned(): void {
    this.#release?.();
  }

  onDeadline(): void {
    if (this.#isSettled) return;
    this.#isBodyLate = this.#answer.isAnswered;
    const reason = this.#isBodyLate
      ? new BodyLateError("the body did not end in time")
      : new DeadlineError("the deadline passed");
    const controller = this.#controller;
    if (controller !== null) {
      this.#settle(classifyError(reason));
      controller.abort(reason);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    this.#settle(classifyError(reason), promise);
    this.connecting?.destroy(reason);
  }

  /** Whether closing idle connections may help: no socket could be opened for the request. Tried once per attempt. */
  #needsRoom(failure: Failure): boolean {
    return (
      isShortage(failure) &&
      !this.#isSettled &&
      !this.#hasAskedForRoom &&
      this.#controller === null
    );
  }

  /**
   * Whether the kept connection broke before anything of the request was written. Of an orderly close (FIN) undici takes
   * care itself; a reset, or bytes that nobody asked for, it reports. A connection that is being opened is not connected, so
   * what fails a second time is reported.
   */
  #brokeBefore({ kind }: Failure): boolean {
    return (
      kind === "outcome" &&
      this.#controller === null &&
      this.connection?.isConnected === true
    );
  }

  /**
   * Whether the receiver probably closed the idle connection just as the request was written, and so did not take the
   * request. Then the request is sent once more over a new connection, in the same attempt. The close and the request
   * crossed on the network, so the error comes within twice the round trip (`idleRaceMs`). An error that comes later, or after
   * any byte of an answer, may follow a request that the receiver took: then only a retry, with its own attempt, sends it again.
   * Also where the error came that soon the receiver may have taken the request: the attempt's `error` says that it was sent
   * before, or twice.
   */
  #closeCrossedRequest(error: Error): boolean {
    const hasByte = this.connection?.answerHead.hasByte === true;
    if (!this.#isReused || this.#crossedBy !== null || hasByte) return false;
    const raceMs = idleRaceMs(this.connection?.connectMs ?? 0);
    if (this.#host.monotonic() - this.#sentAt > raceMs) return false;
    const { code } = error as { code?: unknown };
    return (
      code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET"
    );
  }

  #settle(
    failure: Failure | null,
    released: Promise<void> | null = null,
  ): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#host.settled(this);
    const isLocal = failure?.kind === "local_fault" && !this.#answer.isAnswered;
    this.#result =
      isLocal && this.#crossedBy === null
        ? failure
        : this.#resultOf(failure, released);
    if (this.#isReusable) this.#host.ended(this);
    else this.tell();
  }

  /** Resolves the promise of `send`. `lostBy`: the error that broke the connection after the complete answer; a protocol error among these is noted in the result. */
  tell(lostBy: Error | null = null): void {
    const result = this.#result;
    if (result === null) return;
    const flaw = lostBy === null ? null : classifyError(lostBy);
    const isFlawed = flaw !== null && isProtocolError(flaw);
    this.#resolve(
      isFlawed && result.kind === "attempted"
        ? { ...result, ...this.#answerResult(flaw) }
        : result,
    );
  }

  /** undici refused a head that is malformed or too long. If its status was read, the status decides all the same; its headers, and so a `Retry-After`, are lost. */
  #takeStatusOfRefusedHead(): void {
    const statusCode = this.connection?.answerHead.statusCode ?? 0;
    if (this.#isSettled || this.#answer.isAnswered || statusCode === 0) return;
    this.#answer.start(statusCode, {});
    this.#ttfbMs = this.#host.monotonic() - this.#sentAt;
  }

  /**
   * What the answer decides. What became of a request that a close crossed is noted beside it. If our own fault kept that
   * request from being sent again, the close is what the attempt showed of the endpoint.
   */
  #answerResult(failure: Failure | null): AnswerResult {
    const crossedBy = this.#crossedBy;
    if (crossedBy === null) return this.#answer.result(failure);
    const ourFault = failure?.kind === "local_fault" ? failure : null;
    const answer = this.#answer.result(ourFault === null ? failure : crossedBy);
    const notes = [
      answer.error,
      ourFault?.error,
      this.#isSentTwice ? SENT_TWICE : SENT_BEFORE,
    ];
    return { ...answer, error: notes.filter(Boolean).join("; ") };
  }

  #resultOf(
    failure: Failure | null,
    released: Promise<void> | null,
  ): AttemptResult {
    return {
      kind: "attempted",
      ...this.#answerResult(failure),
      durationMs: this.#host.monotonic() - this.#startedAt,
      dnsMs: this.#timings?.dnsMs ?? 0,
      connectMs: this.#timings?.connectMs ?? 0,
      tlsMs: this.#timings?.tlsMs ?? 0,
      ttfbMs: this.#ttfbMs,
      isReused: this.#isReused,
      remoteAddress: this.#remoteAddress,
      isBodyLate: this.#isBodyLate,
      released,
    };
  }
}
