/**
 * What connections may cost an API's server: how many there are, and how long each may keep what it holds without taking part. Node
 * itself cuts off those who send too slowly (`requestTimeout`), who send nothing after an answer (`keepAliveTimeout`), and who are too
 * many (`maxConnections`). It does not cut off those who do not read their answers, nor those who keep their end open after a refusal
 * that has ended ours: without this file each would keep its connection, its answers and its request's body for ever.
 */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Log } from "@postrider/runtime";

export interface ConnectionLimits {
  /** More connections than these are closed at once. */
  readonly maxConnections: number;
  /** How long a connection may stay open between two requests. */
  readonly idleMs: number;
  /** How long the other side may take to read an answer, from the time at which all of it is written and those before it are read. */
  readonly answerMs: number;
  /** A slow network may take longer for a large answer: a second more for so many bytes. */
  readonly answerBytesPerSecond: number;
  /** How long the other side may keep its end open after ours has ended. */
  readonly lingerMs: number;
}

/** With 16 KiB of headers each, which is the most, so many connections take 80 MB. Load balancers keep connections for a minute, and expect the server to wait longer. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 5_000,
  idleMs: 72_000,
  answerMs: 30_000,
  answerBytesPerSecond: 64 << 10,
  lingerMs: 5_000,
};

export interface LimitedConnections {
  /** Call for each request with its answer. */
  onRequest(answer: ServerResponse): void;
  /** Call when an answer was handed to the system. */
  onAnswered(answer: ServerResponse): void;
  /** Ends the looking. Safe to call twice. */
  stop(): void;
}

export function limitConnections(
  server: Server,
  limits: ConnectionLimits,
  effects: { readonly log: Log; readonly clock: Clock },
): LimitedConnections {
  const { log, clock } = effects;
  const unread = new UnreadAnswers(limits);
  server.maxConnections = limits.maxConnections;
  server.keepAliveTimeout = limits.idleMs;
  const refused = new SeldomRefused(log, limits.maxConnections);
  server.on("drop", () => refused.note(clock.monotonic()));
  server.on("connection", (socket: Socket) => {
    socket.once("finish", () => lingerOn(socket, limits.lingerMs));
  });
  const looking = setInterval(
    () => {
      const cut = unread.cut(clock.monotonic());
      if (cut > 0) log.warn("connections.cut", { count: cut, why: "unread" });
    },
    Math.max(10, limits.answerMs / 6),
  ).unref();
  return {
    onRequest: (answer) => unread.add(answer),
    onAnswered: (answer) => unread.delete(answer),
    stop: () => clearInterval(looking),
  };
}

/** Our end is over: the other side may read what is left of the answer, and no more. */
function lingerOn(socket: Socket, lingerMs: number): void {
  const late = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once("close", () => clearTimeout(late));
}

/** The answers that are not handed to the system yet, with the time until which they may be; null: not all of it is written, or another one goes first. */
class UnreadAnswers {
  readonly #limits: ConnectionLimits;
  readonly #until = new Map<ServerResponse, number | null>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  add(answer: ServerResponse): void {
    this.#until.set(answer, null);
  }

  delete(answer: ServerResponse): void {
    this.#until.delete(answer);
  }

  /** Closes the connections of answers that have waited for too long. Returns how many. */
  cut(now: number): number {
    let count = 0;
    for (const [answer, until] of this.#until) {
      const isOver = answer.closed || answer.writableFinished;
      if (isOver || answer.req.socket.destroyed) this.#until.delete(answer);
      // An answer behind another one has no socket yet. The one before it may be slow to come, and is then nobody's fault but ours.
      else if (!answer.writableEnded || answer.socket === null) continue;
      else if (until === null)
        this.#until.set(answer, now + this.#allowedMs(answer.socket));
      else if (now > until) {
        this.#until.delete(answer);
        answer.socket.destroy();
        count += 1;
      }
    }
    return count;
  }

  #allowedMs({ writableLength }: Socket): number {
    const { answerMs, answerBytesPerSecond } = this.#limits;
    return answerMs + (writableLength / answerBytesPerSecond) * 1_000;
  }
}

const TOLD_EVERY_MS = 10_000;

/** Tells that connections are refused, but not each. */
class SeldomRefused {
  readonly #log: Log;
  readonly #most: number;
  #count = 0;
  #toldAt = -Infinity;

  constructor(log: Log, most: number) {
    this.#log = log;
    this.#most = most;
  }

  note(now: number): void {
    this.#count += 1;
    if (now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#log.warn("connections.refused", {
      count: this.#count,
      maxConnections: this.#most,
    });
    this.#count = 0;
    this.#toldAt = now;
  }
}
