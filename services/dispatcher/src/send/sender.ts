/**
 * Sends attempts over undici's `dispatch`. Only this file and connection.ts know undici.
 *
 * Per request there is one handler object: deadlines are on one shared wheel, so no timer and no signal. Connections are
 * kept alive and shared by origin, and live at most 5 minutes: 3 until they get no new request, at most one more in an
 * attempt, at most one more idle. undici's own Pool looks through all connections of an origin at each request, which at
 * 1,000 of them costs more than the request. HTTP/2 is off; nothing is inflated; nothing is followed.
 */
import type { EpochMs } from "@postrider/core";
import type { Clock, Lifecycle, Meter } from "@postrider/runtime";
import type { Socket } from "node:net";
import { buildConnector } from "undici";
import type { SendResult } from "./attempt-result.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import {
  Exchange,
  type ConnectTimings,
  type ExchangeConnection,
  type ExchangeHost,
} from "./exchange.ts";
import type { Guard } from "./guard.ts";
import { Connection, type ConnectionEvents, type Open } from "./connection.ts";

const CONNECT_TIMEOUT_MS = 60_000;
const CONNECTION_TTL_MS = 180_000;

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
  /** Open, or being opened. */
  readonly sockets: number;
  readonly inFlight: number;
}

export interface Sender extends Lifecycle {
  readonly send: Send;
  stats(): SenderStats;
}

export function createSender(options: SenderOptions): Sender {
  const sockets = new OpenSockets(options);
  const sender = new DispatchSender(options.clock, sockets.open);
  return {
    send: (request) => sender.send(request),
    stats: () => ({ sockets: sockets.count, inFlight: sender.inFlight }),
    start: async () => {},
    stop: (deadline) => sender.stop(deadline),
  };
}

class DispatchSender implements ExchangeHost {
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #pool = new ConnectionPool<ExchangeConnection>(CONNECTION_TTL_MS);
  readonly #connections = new Set<ExchangeConnection>();
  readonly #events: ConnectionEvents;
  #ended: Exchange[] = [];
  #isStopped = false;

  constructor(clock: Clock, open: Open) {
    this.#clock = clock;
    this.#wheel = new DeadlineWheel(clock);
    this.#events = { open, lost: (connection) => this.#lost(connection) };
  }

  get inFlight(): number {
    return this.#wheel.size;
  }

  send(request: SendRequest): Promise<SendResult> {
    return new Promise((resolve) => {
      const { origin, path, headers, body, timeoutMs } = request;
      const now = this.#clock.monotonic();
      const exchange = new Exchange(
        this,
        { origin, path, method: "POST", headers, body },
        now,
        resolve,
      );
      this.#wheel.add(exchange, now + timeoutMs);
      const resting = this.#pool.take(origin, now);
      (resting ?? this.#connect(origin)).run(exchange);
    });
  }

  /** Attempts are finished by then, or never will be: the runner has waited for them. */
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

  settled(exchange: Exchange): void {
    this.#wheel.remove(exchange);
  }

  failed({ connection }: Exchange): void {
    if (connection !== null) this.#close(connection);
  }

  /**
   * undici frees or ends a connection after the handler returned, in this turn of the loop or the next. Whatever ends
   * within one turn is told in the next but one, so that the next attempt finds its connection free.
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
      this.#pool.giveBack(connection);
    } else this.failed(exchange);
    exchange.tell();
  }

  #connect(origin: string): ExchangeConnection {
    const now = this.#clock.monotonic();
    const connection = new Connection(origin, now, this.#events);
    this.#connections.add(connection);
    return connection;
  }

  /** One in use ends with its exchange; one that rests ends here. */
  #lost(connection: ExchangeConnection): void {
    if (this.#pool.remove(connection)) this.#close(connection);
  }

  #close(connection: ExchangeConnection): void {
    this.#connections.delete(connection);
    connection.close();
  }
}

/** Opens sockets behind the guard, counts and times them. */
class OpenSockets {
  readonly #guard: Guard;
  readonly #clock: Clock;
  readonly #connector: buildConnector.connector;
  readonly #opened: ReturnType<Meter["counter"]>;
  readonly #gauge: ReturnType<Meter["gauge"]>;
  count = 0;

  constructor({ guard, clock, meter, ca }: SenderOptions) {
    this.#guard = guard;
    this.#clock = clock;
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
  }

  readonly open: Open = (options, done) => {
    const { hostname } = options;
    const refused = this.#guard.refuseHost(hostname);
    if (refused !== null) {
      queueMicrotask(() => done(refused, null));
      return null;
    }
    const timings: ConnectTimings = { dnsMs: 0, connectMs: 0, tlsMs: 0 };
    const startedAt = this.#clock.monotonic();
    const socket = openSocket(this.#connector, options, (error, connected) => {
      if (error !== null) return done(error, null);
      const elsewhere = this.#guard.refuseConnected(
        connected.remoteAddress,
        hostname,
      );
      if (elsewhere !== null) {
        connected.destroy();
        return done(elsewhere, null);
      }
      const totalMs = this.#clock.monotonic() - startedAt;
      if (options.protocol === "https:")
        timings.tlsMs = totalMs - timings.dnsMs - timings.connectMs;
      else timings.connectMs = totalMs - timings.dnsMs;
      done(null, connected);
    });
    this.#watch(socket, hostname, timings);
    return { socket, timings };
  };

  #watch(socket: Socket, hostname: string, timings: ConnectTimings): void {
    const startedAt = this.#clock.monotonic();
    this.#opened.inc();
    this.#gauge.set((this.count += 1));
    socket.once("close", () => this.#gauge.set((this.count -= 1)));
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
