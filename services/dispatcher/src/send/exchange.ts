/**
 * One attempt's HTTP exchange: the handler object undici calls, and the entry on the deadline wheel.
 *
 * Modes: waiting (no controller yet: DNS, connect, TLS) → running (controller) → settled. It settles exactly once: by the
 * end of the response, by an error, by a cap, by the deadline, or a second after the final status. Once a final status was seen, nothing else of the answer
 * changes the outcome: its flaws are noted in `error`. When the deadline passes while waiting, nothing is ever sent: the connecting
 * socket is destroyed where it is known, else `onRequestStart` aborts, and `released` resolves when that has happened.
 */
import type { MonotonicMs } from "@postrider/core";
import type { AnswerHead } from "./answer-head.ts";
import {
  BodyCutError,
  classifyError,
  DeadlineError,
  isProtocolError,
  isShortage,
  type Failure,
} from "./classify-failure.ts";
import type { Poolable } from "./connection-pool.ts";
import type { Deadline } from "./deadline-wheel.ts";
import type { AttemptResult, SendResult } from "./attempt-result.ts";
import { ResponseSoFar, type AnswerHeaders } from "./response.ts";

/** What undici is given; kept for sending it once more over another connection. */
export interface ExchangeRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: "POST";
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
  /** Ends the socket, later. */
  close(): void;
  /** Resolves when the socket is gone. */
  destroy(): Promise<void>;
  /** Timings of a socket opened for it; null: it has served before. */
  takeTimings(): ConnectTimings | null;
  /** The first bytes of the answer it waits for. */
  readonly answerHead: AnswerHead;
  /** What broke its socket off; null while it is connected, and where it was closed in order. */
  readonly lostBy: Error | null;
}

/** What an exchange tells the sender. */
export interface ExchangeHost {
  monotonic(): MonotonicMs;
  /** Sends the exchange once more, over a connection of its own. */
  sendAgain(exchange: Exchange): void;
  /** This process has no socket for it: closes some that rest and sends it then, as `sendAgain`. False: none rests. */
  makeRoom(exchange: Exchange, errorCode: string): boolean;
  /** A final status has come: at `dueAt` the wheel calls again, and not at the deadline. */
  answered(exchange: Exchange, dueAt: MonotonicMs): void;
  /** It is decided: takes it off the wheel. Called once. */
  settled(exchange: Exchange): void;
  /** The answer came whole: the connection may serve again, and then `tell` gives the result. */
  ended(exchange: Exchange): void;
  /** undici is done with it otherwise: the connection ends. */
  failed(exchange: Exchange): void;
}

/** The part of undici's controller that is used. */
export interface ExchangeController {
  abort(reason: Error): void;
}

/** How long a body may take once the status has decided: it is read for the record, and to use the connection again. */
const BODY_MS = 1_000;
/** A long round trip: how long after the request an error may still come from a close that was under way before it. */
const IDLE_RACE_MS = 200;

export class Exchange implements Deadline {
  dueAt = 0;
  wheelBucket = -1;
  wheelPrevious: Deadline | null = null;
  wheelNext: Deadline | null = null;

  readonly request: ExchangeRequest;
  /** The socket being opened for this exchange, where that is known. */
  connecting: { destroy(error: Error): unknown } | null = null;
  /** Set by whoever runs it. */
  connection: ExchangeConnection | null = null;

  readonly #host: ExchangeHost;
  readonly #resolve: (result: SendResult) => void;
  readonly #startedAt: MonotonicMs;
  #sentAt: MonotonicMs = 0;
  #ttfbMs = 0;
  #controller: ExchangeController | null = null;
  #timings: ConnectTimings | null = null;
  #isReused = false;
  #isRetried = false;
  #isRoomMade = false;
  #isSettled = false;
  #isWhole = false;
  #isBodyCut = false;
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
    this.#timings = this.connection?.takeTimings() ?? null;
    this.#isReused = this.#timings === null;
    this.connection?.answerHead.expect();
    this.#sentAt = this.#host.monotonic();
  }

  onResponseStart(
    controller: ExchangeController,
    statusCode: number,
    headers: AnswerHeaders,
  ): void {
    // Informational answers repeat; the deadline bounds an endless row of them.
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
      controller.abort(new DeadlineError("enough of the body was read"));
    }
  }

  onResponseEnd(): void {
    this.#isWhole = !this.#answer.isFlawed;
    if (!this.#isWhole) this.#host.failed(this);
    this.#settle(null);
  }

  onResponseError(_controller: ExchangeController | null, error: Error): void {
    if (!this.#isSettled && this.#diedIdle(error)) {
      this.#isRetried = true;
      this.#controller = null;
      this.#host.sendAgain(this);
      return;
    }
    const failure = classifyError(error);
    if (this.#needsRoom(failure)) {
      this.#isRoomMade = true;
      if (this.#host.makeRoom(this, failure.errorCode)) return;
    }
    this.#host.failed(this);
    if (isProtocolError(failure)) this.#takeStatusOfMalformed();
    this.#settle(failure);
    this.#release?.();
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** It was settled while it had no connection, and gets none: nothing of it is left. */
  abandoned(): void {
    this.#release?.();
  }

  onDeadline(): void {
    if (this.#isSettled) return;
    this.#isBodyCut = this.#answer.isAnswered;
    const reason = this.#isBodyCut
      ? new BodyCutError("the body did not end in time")
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

  /** Nothing was sent, because no socket could be opened; room is made once for an attempt. */
  #needsRoom(failure: Failure): boolean {
    return (
      isShortage(failure) &&
      !this.#isSettled &&
      !this.#isRoomMade &&
      this.#controller === null
    );
  }

  /**
   * An idle keep-alive connection was closed just as we wrote: a fresh one may try, once. The receiver's close and our
   * request crossed on the way, so the error comes within a round trip. A reset that comes later, or behind any byte of
   * an answer, may follow a request that was taken, and sending that again is for the retry to do, in the open.
   */
  #diedIdle(error: Error): boolean {
    const hasByte = this.connection?.answerHead.hasByte === true;
    if (!this.#isReused || this.#isRetried || hasByte) return false;
    if (this.#host.monotonic() - this.#sentAt > IDLE_RACE_MS) return false;
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
    this.#result = isLocal ? failure : this.#resultOf(failure, released);
    if (this.#isWhole) this.#host.ended(this);
    else this.tell();
  }

  /** Gives the result to whoever waits for it; `lostBy` ended the connection behind the whole answer. */
  tell(lostBy: Error | null = null): void {
    const result = this.#result;
    if (result === null) return;
    const flaw = lostBy === null ? null : classifyError(lostBy);
    const isFlawed = flaw !== null && isProtocolError(flaw);
    this.#resolve(
      isFlawed && result.kind === "attempted"
        ? { ...result, ...this.#answer.result(flaw) }
        : result,
    );
  }

  /** undici gave up a malformed head: the status decides all the same where it was read. Of its headers nothing is kept. */
  #takeStatusOfMalformed(): void {
    const statusCode = this.connection?.answerHead.statusCode ?? 0;
    if (this.#isSettled || this.#answer.isAnswered || statusCode === 0) return;
    this.#answer.start(statusCode, {});
    this.#ttfbMs = this.#host.monotonic() - this.#sentAt;
  }

  #resultOf(
    failure: Failure | null,
    released: Promise<void> | null,
  ): AttemptResult {
    return {
      kind: "attempted",
      ...this.#answer.result(failure),
      durationMs: this.#host.monotonic() - this.#startedAt,
      dnsMs: this.#timings?.dnsMs ?? 0,
      connectMs: this.#timings?.connectMs ?? 0,
      tlsMs: this.#timings?.tlsMs ?? 0,
      ttfbMs: this.#ttfbMs,
      isReused: this.#isReused,
      isBodyCut: this.#isBodyCut,
      released,
    };
  }
}
