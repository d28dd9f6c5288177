/**
 * Sends attempts over undici's `dispatch`. Only connection.ts and guarded-sockets.ts import undici.
 *
 * Each request makes one handler object and no timer or signal: all deadlines are on one shared wheel. Connections are kept
 * alive and shared by origin. A connection lives at most 5 minutes: after 3 minutes it gets no new request, and then ends
 * after at most one minute in an attempt and one minute idle. undici's own Pool is not used, because it searches all
 * connections of an origin for each request, which with 1,000 connections costs more than the request.
 *
 * HTTP/2 is off, bodies are not decompressed, redirects are not followed.
 */
import type { EpochMs } from "@postrider/core";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import type { SendResult } from "./attempt-result.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import {
  Exchange,
  type ExchangeConnection,
  type ExchangeHost,
} from "./exchange.ts";
import type { Guard } from "./guard.ts";
import { GuardedSockets } from "./guarded-sockets.ts";
import { Connection, type ConnectionEvents, type Open } from "./connection.ts";

const CONNECTION_TTL_MS = 180_000;
/** With the default of 1,000 attempts in flight, resting sockets leave a process below 4,096 descriptors, a common limit. */
const MAX_RESTING = 2_048;
/** How many resting connections are closed at a shortage of descriptors: enough also for other attempts that start at the same time. */
const ROOM = 32;
const LOG_EVERY_MS = 60_000;

/** One attempt: `headers` is a flat list of names and values, `body` goes out byte for byte. */
export interface SendRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
  readonly body: Buffer;
  readonly timeoutMs: number;
}

/** Sends one attempt. Never rejects; resolves at the deadline at the latest. */
export type Send = (request: SendRequest) => Promise<SendResult>;

export interface SenderOptions {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** More certificate authorities, as PEM. Node itself adds those of NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | Buffer;
}

export interface SenderStats {
  /** Open, or being opened. */
  readonly sockets: number;
  readonly inFlight: number;
}

export interface Sender extends Lifecycle {
  readonly send: Send;
  stats(): SenderStats;
}

export function createSender(options: SenderOptions): Sender {
  const sockets = new GuardedSockets(options);
  const sender = new DispatchSender(options, sockets.open);
  return {
    send: (request) => sender.send(request),
    stats: () => ({ sockets: sockets.count, inFlight: sender.inFlight }),
    start: async () => {},
    stop: (deadline) => sender.stop(deadline),
  };
}

class DispatchSender implements ExchangeHost {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #evicted: ReturnType<Meter["counter"]>;
  readonly #wheel: DeadlineWheel;
  readonly #pool: ConnectionPool<ExchangeConnection>;
  readonly #connections = new Set<ExchangeConnection>();
  readonly #events: ConnectionEvents;
  #ended: Exchange[] = [];
  #isStopped = false;
  #loggedAt = -Infinity;

  constructor({ clock, log, meter }: SenderOptions, open: Open) {
    this.#clock = clock;
    this.#log = log;
    this.#evicted = meter.counter(
      "postrider_connections_evicted_total",
      `Connections to endpoints closed while they rested, by why: \`limit\`, more than ${MAX_RESTING} rested; \`descriptors\`, this process had none left for a new one.`,
      ["why"],
    );
    this.#pool = new ConnectionPool<ExchangeConnection>(
      { ttlMs: CONNECTION_TTL_MS, maxResting: MAX_RESTING },
      (connection) => this.#close(connection),
    );
    this.#wheel = new DeadlineWheel(clock);
    this.#events = { open, lost: (connection) => this.#lost(connection) };
  }

  get inFlight(): number {
    return this.#wheel.size;
  }

  send(request: SendRequest): Promise<SendResult> {
    return new Promise((resolve) => {
      const { origin, path, method, headers, body, timeoutMs } = request;
      const now = this.#clock.monotonic();
      const exchange = new Exchange(
        this,
        { origin, path, method, headers, body },
        now,
        resolve,
      );
      this.#wheel.add(exchange, now + timeoutMs);
      const resting = this.#pool.take(origin, now);
      (resting ?? this.#connect(origin)).run(exchange);
    });
  }

  /** Closes all connections at once. The runner has stopped before and has waited for attempts to finish. */
  async stop(_deadline: EpochMs): Promise<void> {
    this.#isStopped = true;
    const connections = [...this.#connections];
    this.#connections.clear();
    await Promise.all(connections.map((each) => each.destroy()));
    this.#wheel.stop();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  sendAgain(exchange: Exchange): void {
    this.failed(exchange);
    this.#connect(exchange.request.origin).run(exchange);
  }

  /**
   * No descriptor is left: closes some resting connections, then opens one for the exchange anew. If none rests, all descriptors
   * are in use: the exchange becomes a local fault, which spends no attempt, unless its request had been sent before.
   */
  makeRoom(exchange: Exchange, errorCode: string): boolean {
    const closing = this.#pool.takeLongest(ROOM);
    if (closing.length === 0) return false;
    this.failed(exchange);
    this.#evicted.inc({ why: "descriptors" }, closing.length);
    this.#logRoom(errorCode);
    void Promise.all(closing.map((each) => this.#destroy(each))).then(() => {
      if (exchange.isSettled) exchange.abandoned();
      else this.#connect(exchange.request.origin).run(exchange);
    });
    return true;
  }

  answered(exchange: Exchange, dueAt: number): void {
    this.#wheel.add(exchange, dueAt);
  }

  settled(exchange: Exchange): void {
    this.#wheel.remove(exchange);
  }

  failed({ connection }: Exchange): void {
    if (connection !== null) this.#close(connection);
  }

  /**
   * After the handler has returned, undici frees or closes the connection in this turn of the event loop or the next. So the
   * result is given two turns later: then the connection is free for the next attempt. Exchanges that end in the same turn
   * share the two `setImmediate` calls.
   */
  ended(exchange: Exchange): void {
    if (this.#ended.push(exchange) > 1) return;
    setImmediate(() => {
      const ended = this.#ended;
      this.#ended = [];
      setImmediate(() => {
        for (const each of ended) this.#tell(each);
      });
    });
  }

  #tell(exchange: Exchange): void {
    const { connection } = exchange;
    if (connection?.isConnected === true && !this.#isStopped) {
      connection.rest();
      if (!this.#pool.giveBack(connection)) this.#evicted.inc({ why: "limit" });
      exchange.tell();
    } else {
      this.failed(exchange);
      exchange.tell(connection?.lostBy);
    }
  }

  #connect(origin: string): ExchangeConnection {
    const now = this.#clock.monotonic();
    const connection = new Connection(origin, now, this.#events);
    this.#connections.add(connection);
    return connection;
  }

  /** The connection's socket has closed. A resting connection is closed here; one in use is closed with its exchange. */
  #lost(connection: ExchangeConnection): void {
    if (this.#pool.remove(connection)) this.#close(connection);
  }

  #close(connection: ExchangeConnection): void {
    this.#connections.delete(connection);
    connection.close();
  }

  #destroy(connection: ExchangeConnection): Promise<void> {
    this.#connections.delete(connection);
    return connection.destroy();
  }

  /** Logs at most once a minute, because a shortage closes connections many times. */
  #logRoom(errorCode: string): void {
    const now = this.#clock.monotonic();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    const { size: resting } = this.#pool;
    this.#log.warn("sender.madeRoom", { errorCode, resting });
  }
}
