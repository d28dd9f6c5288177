/**
 * Sends attempts over undici's `dispatch`: the only place that knows undici.
 *
 * Per request there is one handler object and nothing else: deadlines are on one shared wheel, so no timer and no
 * signal. Connections are kept alive and shared by origin, and live at most 5 minutes: 3 until they get no new request, at
 * most one more idle, at most one more in an attempt. HTTP/2 is off; nothing is inflated; nothing is followed.
 */
import type { EpochMs } from "@postrider/core";
import type { Clock, Lifecycle, Meter } from "@postrider/messaging";
import type { Socket } from "node:net";
import { Agent, buildConnector } from "undici";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { type SendResult } from "./attempt-result.ts";
import {
  Exchange,
  type ConnectTimings,
  type ExchangeHost,
} from "./exchange.ts";
import type { Guard } from "./guard.ts";

const CONNECT_TIMEOUT_MS = 60_000;
const CONNECTION_TTL_MS = 180_000;
const IDLE_MS = 30_000;
const MAX_IDLE_MS = 60_000;
const MAX_HEADER_BYTES = 16_384;

/** One attempt: `headers` is a flat list of names and values, `body` goes out byte for byte. */
export interface SendRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer;
  readonly timeoutMs: number;
}

/** Never rejects. The result is there at the deadline at the latest. */
export type Send = (request: SendRequest) => Promise<SendResult>;

export interface SenderOptions {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly meter: Meter;
  /** More certificate authorities, as PEM; the system's own are Node's to know (NODE_EXTRA_CA_CERTS). */
  readonly ca?: string | Buffer;
}

export interface SenderStats {
  readonly sockets: number;
  readonly inFlight: number;
}

export interface Sender extends Lifecycle {
  readonly send: Send;
  stats(): SenderStats;
}

export function createSender(options: SenderOptions): Sender {
  const sender = new DispatchSender(options);
  return {
    send: (request) => sender.send(request),
    stats: () => sender.stats(),
    start: async () => {},
    stop: (deadline) => sender.stop(deadline),
  };
}

class DispatchSender implements ExchangeHost {
  readonly #guard: Guard;
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #connector: buildConnector.connector;
  readonly #pooled: Agent;
  /** Every request over a connection of its own: for the retry after an idle connection died. */
  readonly #unpooled: Agent;
  readonly #opened: ReturnType<Meter["counter"]>;
  readonly #gauge: ReturnType<Meter["gauge"]>;
  #sockets = 0;
  #toTell: Exchange[] = [];
  /** The exchange whose `dispatch` call is on the stack: a connection opened meanwhile is opened for it. */
  #dispatching: Exchange | null = null;
  /** The connection whose `connect` callback is on the stack: a request started meanwhile is its first. */
  #fresh: ConnectTimings | null = null;

  constructor({ guard, clock, meter, ca }: SenderOptions) {
    this.#guard = guard;
    this.#clock = clock;
    this.#wheel = new DeadlineWheel(clock);
    this.#opened = meter.counter(
      "postrider_connections_opened_total",
      "Connections opened to endpoints; attempts less these went over a reused one.",
    );
    this.#gauge = meter.gauge(
      "postrider_sockets",
      "Sockets open, or being opened, to endpoints.",
    );
    this.#connector = buildConnector({
      lookup: guard.lookup,
      timeout: CONNECT_TIMEOUT_MS,
      autoSelectFamily: true,
      allowH2: false,
      ...(ca === undefined ? {} : { ca }),
    });
    this.#pooled = this.#agent(1);
    this.#unpooled = this.#agent(0);
  }

  send(request: SendRequest): Promise<SendResult> {
    return new Promise((resolve) => {
      const { origin, path, headers, body, timeoutMs } = request;
      const exchange = new Exchange(
        this,
        { origin, path, method: "POST", headers, body },
        resolve,
      );
      this.#wheel.add(exchange, this.#clock.monotonic() + timeoutMs);
      this.#dispatch(this.#pooled, exchange);
    });
  }

  stats(): SenderStats {
    return { sockets: this.#sockets, inFlight: this.#wheel.size };
  }

  /** Attempts are finished by then, or never will be: the runner has waited for them. */
  async stop(_deadline: EpochMs): Promise<void> {
    await Promise.all([this.#pooled.destroy(), this.#unpooled.destroy()]);
    this.#wheel.stop();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  freshConnection(): ConnectTimings | null {
    return this.#fresh;
  }

  sendAgain(exchange: Exchange): void {
    this.#dispatch(this.#unpooled, exchange);
  }

  settled(exchange: Exchange): void {
    this.#wheel.remove(exchange);
  }

  /**
   * undici frees a connection by setImmediate, after the handler returned. Whatever ends within one turn of the loop is
   * told in the next one, when all of its connections are free.
   */
  tellLater(exchange: Exchange): void {
    if (this.#toTell.push(exchange) > 1) return;
    setImmediate(() => {
      const ended = this.#toTell;
      this.#toTell = [];
      setImmediate(() => {
        for (const each of ended) each.tell();
      });
    });
  }

  #dispatch(agent: Agent, exchange: Exchange): void {
    this.#dispatching = exchange;
    try {
      agent.dispatch(exchange.request, exchange);
    } finally {
      this.#dispatching = null;
    }
  }

  #agent(pipelining: 0 | 1): Agent {
    return new Agent({
      connect: (options, callback) => this.#connect(options, callback),
      allowH2: false,
      pipelining,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: MAX_IDLE_MS,
      clientTtl: CONNECTION_TTL_MS,
    });
  }

  #connect(
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    const { hostname } = options;
    const refused = this.#guard.refuseHost(hostname);
    if (refused !== null) {
      queueMicrotask(() => callback(refused, null));
      return;
    }
    const timings: ConnectTimings = { dnsMs: 0, connectMs: 0, tlsMs: 0 };
    const startedAt = this.#clock.monotonic();
    const socket = openSocket(this.#connector, options, (error, connected) => {
      if (error !== null) return callback(error, null);
      const elsewhere = this.#guard.refuseConnected(
        connected.remoteAddress,
        hostname,
      );
      if (elsewhere !== null) {
        connected.destroy();
        return callback(elsewhere, null);
      }
      this.#noteConnected(timings, startedAt, options.protocol);
      this.#fresh = timings;
      try {
        callback(null, connected);
      } finally {
        this.#fresh = null;
      }
    });
    if (this.#dispatching !== null) this.#dispatching.connecting = socket;
    this.#watch(socket, hostname, timings, startedAt);
  }

  #noteConnected(
    timings: ConnectTimings,
    startedAt: number,
    protocol: string,
  ): void {
    const totalMs = this.#clock.monotonic() - startedAt;
    if (protocol === "https:")
      timings.tlsMs = totalMs - timings.dnsMs - timings.connectMs;
    else timings.connectMs = totalMs - timings.dnsMs;
  }

  #watch(
    socket: Socket,
    hostname: string,
    timings: ConnectTimings,
    startedAt: number,
  ): void {
    this.#opened.inc();
    this.#gauge.set((this.#sockets += 1));
    socket.once("close", () => this.#gauge.set((this.#sockets -= 1)));
    socket.once("lookup", () => {
      timings.dnsMs = this.#clock.monotonic() - startedAt;
    });
    socket.once("connect", () => {
      timings.connectMs = this.#clock.monotonic() - startedAt - timings.dnsMs;
      // Before a TLS handshake says anything to an address that is not allowed.
      const elsewhere = this.#guard.refuseConnected(
        socket.remoteAddress,
        hostname,
      );
      if (elsewhere !== null) socket.destroy(elsewhere);
    });
  }
}

/** undici's connector returns the socket it opens, which its types leave out. */
function openSocket(
  connector: buildConnector.connector,
  options: buildConnector.Options,
  callback: (...outcome: [null, Socket] | [Error, null]) => void,
): Socket {
  return connector(options, callback) as unknown as Socket;
}
