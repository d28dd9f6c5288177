/**
 * Opens the sockets to endpoints: checked by the guard, counted and timed.
 *
 * Invariants: `open` passes on only a socket that is connected to an address that the guard allows. `count` is the number
 * of sockets that are open or being opened.
 */
import type { Clock, Meter } from "@postrider/runtime";
import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { BlockedError } from "./classify-failure.ts";
import type { Open } from "./connection.ts";
import type { ConnectTimings } from "./exchange.ts";
import type { Guard } from "./guard.ts";
import { WATCHED_SOCKET } from "./watch-answers.ts";

/** The longest timeout of an attempt: no attempt waits longer for a connection. */
const CONNECT_TIMEOUT_MS = 60_000;

export interface GuardedSocketsOptions {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly meter: Meter;
  /** More certificate authorities, as PEM. */
  readonly ca?: string | Buffer;
}

export class GuardedSockets {
  readonly #guard: Guard;
  readonly #clock: Clock;
  readonly #connector: buildConnector.connector;
  readonly #opened: ReturnType<Meter["counter"]>;
  readonly #gauge: ReturnType<Meter["gauge"]>;
  /** Cancels the look-up that the connector has just begun; null if there is none, because the host is an address. */
  #cancelLookUp: (() => void) | null = null;
  count = 0;

  constructor({ guard, clock, meter, ca }: GuardedSocketsOptions) {
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
      lookup: (...args) => {
        this.#cancelLookUp = guard.lookup(...args) ?? null;
      },
      timeout: CONNECT_TIMEOUT_MS,
      autoSelectFamily: true,
      allowH2: false,
      ...WATCHED_SOCKET,
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
    this.#cancelLookUp = null;
    let elsewhere: Error | null = new BlockedError("it was not checked");
    const socket = openSocket(this.#connector, options, (error, connected) => {
      if (error !== null) return done(error, null);
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
    // A socket that is destroyed during its look-up (at the deadline) cancels the look-up.
    if (this.#cancelLookUp !== null) socket.once("close", this.#cancelLookUp);
    this.#watch(socket, timings);
    // Before all other listeners, of which one begins the TLS handshake: nothing is sent to an address that is not allowed.
    socket.prependOnceListener("connect", () => {
      const { remoteAddress } = socket;
      elsewhere = this.#guard.refuseConnected(remoteAddress, hostname);
      if (elsewhere !== null) socket.destroy(elsewhere);
    });
    return { socket, timings };
  };

  #watch(socket: Socket, timings: ConnectTimings): void {
    const startedAt = this.#clock.monotonic();
    this.#opened.inc();
    this.#gauge.set((this.count += 1));
    socket.once("close", () => this.#gauge.set((this.count -= 1)));
    socket.once("lookup", () => {
      timings.dnsMs = this.#clock.monotonic() - startedAt;
    });
    socket.once("connect", () => {
      timings.connectMs = this.#clock.monotonic() - startedAt - timings.dnsMs;
    });
  }
}

/** undici's connector returns the socket that it opens, though its types do not say so. */
function openSocket(
  connector: buildConnector.connector,
  options: buildConnector.Options,
  callback: (...outcome: [null, Socket] | [Error, null]) => void,
): Socket {
  return connector(options, callback) as unknown as Socket;
}
