/**
 * One kept-alive connection to an origin: an undici Client that carries one exchange at a time.
 *
 * It belongs to an exchange from `run` until that has ended, and rests in the pool otherwise. undici opens its socket at
 * the first exchange, and again by itself when an idle socket turns out to be dead before anything was written.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Socket } from "node:net";
import { Client, type buildConnector } from "undici";
import { AnswerHead, watchAnswers } from "./answer-head.ts";
import type {
  ConnectTimings,
  Exchange,
  ExchangeConnection,
} from "./exchange.ts";

/** Without an answer that names its own, a connection rests this long; with one, at most twice that. */
const IDLE_MS = 30_000;
const MAX_IDLE_MS = 60_000;
const MAX_HEADER_BYTES = 16_384;

/** Opens a guarded socket; null when it was refused at once. The timings are complete when `done` is called. */
export type Open = (
  options: buildConnector.Options,
  done: (error: Error | null, socket: Socket | null) => void,
) => { readonly socket: Socket; readonly timings: ConnectTimings } | null;

export interface ConnectionEvents {
  readonly open: Open;
  /** Its socket is gone. */
  readonly lost: (connection: Connection) => void;
}

export class Connection implements ExchangeConnection {
  readonly origin: string;
  readonly madeAt: MonotonicMs;
  /** Its place among the pool's resting ones; -1: it does not rest. */
  restingAt = -1;
  readonly answerHead = new AnswerHead();
  readonly #client: Client;
  readonly #open: Open;
  #exchange: Exchange | null = null;
  #timings: ConnectTimings | null = null;
  #opening: Socket | null = null;
  #isConnected = false;
  #lostBy: Error | null = null;

  constructor(
    origin: string,
    madeAt: MonotonicMs,
    { open, lost }: ConnectionEvents,
  ) {
    this.origin = origin;
    this.madeAt = madeAt;
    this.#open = open;
    this.#client = new Client(origin, {
      connect: (options, callback) => this.#connect(options, callback),
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      // One deadline, on the wheel.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: MAX_IDLE_MS,
    });
    this.#client.on("connect", () => {
      this.#isConnected = true;
      this.#lostBy = null;
    });
    this.#client.on("disconnect", (_origin, _targets, error) => {
      this.#isConnected = false;
      // With this code undici closes by itself, as after `connection: close`.
      this.#lostBy = error.code === "UND_ERR_INFO" ? null : error;
      lost(this);
    });
  }

  /** Whether another exchange may go over it. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  get lostBy(): Error | null {
    return this.#lostBy;
  }

  run(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    this.#client.dispatch(exchange.request, exchange);
  }

  rest(): void {
    this.#exchange = null;
  }

  /** Timings of the socket if it was opened since the last call, for its first request; null: it has served before. */
  takeTimings(): ConnectTimings | null {
    const timings = this.#timings;
    this.#timings = null;
    return timings;
  }

  /** Ends the socket. In a microtask, because undici may be in the middle of a call to the exchange. */
  close(): void {
    this.#exchange = null;
    queueMicrotask(() => void this.#client.destroy());
  }

  async destroy(): Promise<void> {
    const destroyed = this.#client.destroy();
    // undici leaves alone what is being opened.
    this.#opening?.destroy();
    await destroyed;
  }

  #connect(
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    const opening = this.#open(options, (error, socket) => {
      this.#opening = null;
      if (socket === null) {
        callback(error ?? new Error("no socket"), null);
        return;
      }
      this.#timings = opening?.timings ?? null;
      watchAnswers(socket, this.answerHead);
      callback(null, socket);
    });
    this.#opening = opening?.socket ?? null;
    if (this.#exchange !== null) this.#exchange.connecting = this.#opening;
  }
}
