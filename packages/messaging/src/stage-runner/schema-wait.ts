/**
 * Records whose schema cannot be had yet (docs/architecture.md, "Promises, and what keeps them", 8). They stay open and are
 * decoded again with a back-off, while other records of the partition go on. When the wait is over they become dead letters.
 * They are few in normal operation, so a list is enough.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Decoded, Decoder } from "../stage.ts";
import type { OpenRecord } from "./open-record.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;

interface Waiting<In> {
  readonly entry: OpenRecord<In>;
  readonly schema: string;
  retryAt: MonotonicMs;
  lookedAt: MonotonicMs;
}

/** A record whose wait is over: its schema came (`decoded`), or time ran out (`decoded` is null). */
export type Waited<In> =
  | {
      readonly entry: OpenRecord<In>;
      readonly decoded: Exclude<Decoded<In>, { kind: "unknown_schema" }>;
    }
  | {
      readonly entry: OpenRecord<In>;
      readonly decoded: null;
      readonly schema: string;
    };

type Look<In> = Waited<In> | "wait" | "lost";

export class SchemaWait<In> {
  readonly #decode: Decoder<In>;
  readonly #longestMs: number;
  #waiting: Waiting<In>[] = [];

  constructor(decode: Decoder<In>, longestMs: number) {
    this.#decode = decode;
    this.#longestMs = longestMs;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Up to five of the schemas that records wait for, for the health check's text. */
  schemas(): string[] {
    return [
      ...new Set(this.#waiting.slice(0, 100).map(({ schema }) => schema)),
    ].slice(0, 5);
  }

  add(entry: OpenRecord<In>, schema: string, now: MonotonicMs): void {
    entry.partition.beginWaiting();
    this.#waiting.push({
      entry,
      schema,
      retryAt: now + FIRST_RETRY_MS,
      lookedAt: now,
    });
  }

  clear(): void {
    for (const { entry } of this.#waiting) entry.partition.endWaiting();
    this.#waiting = [];
  }

  /**
   * Decodes again the records whose back-off is over. Returns, and forgets, those whose wait is over, in the order of the log.
   * When a schema has come, all records that wait for it are returned at once: a stage recognises a repeat only by a record
   * before it in the log, so a repeat must not overtake. Records of lost partitions are dropped.
   */
  due(now: MonotonicMs): Waited<In>[] {
    return this.#leave((waiting) => this.#look(waiting, now));
  }

  /** Returns, and forgets, the records whose schema has come, also before their back-off is over. Call before later records are taken, because those must not overtake them. */
  come(): Waited<In>[] {
    const asked = new Set<string>();
    return this.#leave(({ entry, schema }) => {
      if (entry.partition.state === "lost") return "lost";
      if (asked.has(schema)) return "wait";
      asked.add(schema);
      return this.#decoded(entry) ?? "wait";
    });
  }

  #leave(look: (waiting: Waiting<In>) => Look<In>): Waited<In>[] {
    if (this.#waiting.length === 0) return [];
    const over: Waited<In>[] = [];
    const come = new Set<string>();
    const leaves = (waiting: Waiting<In>, outcome: Look<In>): boolean => {
      if (outcome === "wait") return false;
      waiting.entry.partition.endWaiting();
      if (outcome === "lost") return true;
      if (outcome.decoded !== null) come.add(waiting.schema);
      over.push(outcome);
      return true;
    };
    this.#waiting = this.#waiting.filter((one) => !leaves(one, look(one)));
    if (come.size > 0)
      this.#waiting = this.#waiting.filter(
        (one) =>
          !come.has(one.schema) ||
          !leaves(one, this.#decoded(one.entry) ?? "wait"),
      );
    return over.sort((a, b) => a.entry.raw.offset - b.entry.raw.offset);
  }

  #look(waiting: Waiting<In>, now: MonotonicMs): Look<In> {
    const { entry, schema } = waiting;
    if (entry.partition.state === "lost") return "lost";
    const endsAt = entry.seenAt + this.#longestMs;
    const isOver = now >= endsAt;
    const isDue =
      waiting.retryAt <= now || (isOver && waiting.lookedAt < endsAt);
    if (!isDue) return "wait";
    waiting.lookedAt = now;
    const decoded = this.#decode(entry.raw);
    if (decoded.kind !== "unknown_schema") return { entry, decoded };
    if (isOver && decoded.isSourceBehind !== true)
      return { entry, decoded: null, schema };
    entry.failures++;
    waiting.retryAt =
      now +
      Math.min(
        LONGEST_RETRY_MS,
        FIRST_RETRY_MS * 2 ** Math.min(entry.failures, 10),
      );
    return "wait";
  }

  #decoded(entry: OpenRecord<In>): Waited<In> | null {
    const decoded = this.#decode(entry.raw);
    return decoded.kind === "unknown_schema" ? null : { entry, decoded };
  }
}
