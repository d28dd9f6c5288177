/**
 * One kept-alive connection to an origin: an undici Client that carries one exchange at a time.
 *
 * From `run` until the exchange has ended the connection belongs to that exchange; otherwise it rests in the pool. undici
 * opens the socket at the first exchange. If an idle socket turns out to be closed in order before anything was written,
 * undici opens another one by itself; if it was reset, the exchange gets the error.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Socket } from "node:net";
import { Client, type buildConnector } from "undici";
import { AnswerHead } from "./answer-head.ts";
import { watchAnswers } from "./watch-answers.ts";
import type {
  ConnectTimings,
  Exchange,
  ExchangeConnection,
} from "./exchange.ts";

/** How long a connection may rest, unless the answer names its own time (`keep-alive: timeout=…`): then that, at most 60 s. */
const IDLE_MS = 30_000;
const MAX_IDLE_MS = 60_000;
/** How large all headers of an answer may be together; of a larger answer only the status is taken. What is kept of them: response-headers.ts. */
const MAX_HEADER_BYTES = 16_384;

/** Opens a guarded socket; null if the host was refused at once. The timings are complete when `done` is called. */
export type Open = (
  options: buildConnector.Options,
  done: (error: Error | null, socket: Socket | null) => void,
) => { readonly socket: Socket; readonly timings: ConnectTimings } | null;

export interface ConnectionEvents {
  readonly open: Open;
  /** Called when the connection's socket has closed. */
  readonly lost: (connection: Connection) => void;
}

export class Connection implements ExchangeConnection {
  readonly origin: string;
  readonly madeAt: MonotonicMs;
  /** The pool's index of this connection among resting ones; -1: it does not rest. */
  restingAt = -1;
  readonly answerHead = new AnswerHead();
  readonly #client: Client;
  readonly #open: Open;
  #exchange: Exchange | null = null;
  #timings: ConnectTimings | null = null;
  #connectMs = 0;
  #remoteAddress: string | null = null;
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
      // undici's own timeouts are off: the deadline wheel has the only deadline.
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
      // With this code undici itself closed the socket in order, such as after `connection: close`.
      this.#lostBy = error.code === "UND_ERR_INFO" ? null : error;
      lost(this);
    });
  }

  /** Whether the connection can carry another exchange. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  get connectMs(): number {
    return this.#connectMs;
  }

  /** Read once for each socket: an attempt only copies it. */
  get remoteAddress(): string | null {
    return this.#remoteAddress;
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

  /** Timings of the socket, once, for its first request; null if the socket has carried a request before. */
  takeTimings(): ConnectTimings | null {
    const timings = this.#timings;
    this.#timings = null;
    return timings;
  }

  /** Closes the socket in a microtask, because undici may be in the middle of a call to the exchange. */
  close(): void {
    this.#exchange = null;
    queueMicrotask(() => void this.#client.destroy());
  }

  async destroy(): Promise<void> {
    const destroyed = this.#client.destroy();
    // undici does not destroy a socket that is still being opened.
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
      this.#connectMs = this.#timings?.connectMs ?? 0;
      this.#remoteAddress = socket.remoteAddress ?? null;
      watchAnswers(socket, this.answerHead);
      callback(null, socket);
    });
    this.#opening = opening?.socket ?? null;
    if (this.#exchange !== null) this.#exchange.connecting = this.#opening;
  }
}
