/**
 * A model of a group whose partitions change owners, of logs that unclean elections cut, of a table in three parts with a view, and of dead letters. The table deduplicates
 * per part and token, as ClickHouse does, and so does its view. Each step may end the generation before or after it acts; an insert may
 * also be carried out late, in the middle of a later generation; the table may also fall after it noted a token and before it stored
 * that part's rows, and is then mended. Every owner is a real `BatchAssignment`.
 */
import { setImmediate as turn } from "node:timers/promises";
import { BatchAssignment } from "./batch-assignment.ts";
import { createBatchJudge } from "./batch-judge.ts";
import type { InsertResult } from "./batch-target.ts";
import type { AssignmentHost, Position } from "./partition-host.ts";
import { StaleAssignmentError, type TopicPartition } from "../ports.ts";
import type { RawRecord } from "../record.ts";

const TOPIC = "t";
/** When the records were written that come after an election. */
const OTHER_TIME = 900_000;
const NEVER: Position = { offset: null, metadata: "" };

export interface ModelGiven {
  /** The offsets that each partition's log has. */
  readonly logs: readonly (readonly number[])[];
  /** Rows that the table refuses, and records that cannot be decoded: `partition/offset`. */
  readonly bad: ReadonlySet<string>;
  readonly unreadable: ReadonlySet<string>;
  /** A refused record becomes the row `partition/offset/reduced`, as in the topic of dead letters. */
  readonly isReducing?: boolean;
  /** Whether each step of the world crashes. */
  readonly crashes: readonly boolean[];
  /** For each generation in turn: its number of owners, and the most records of their batches. */
  readonly generations: readonly {
    readonly owners: number;
    readonly maxRecords: number;
    readonly mayShare: boolean;
  }[];
  /** What unclean elections do, in turn. Each happens between two generations, or never if all is recorded before. */
  readonly elections?: readonly Election[];
}

export interface Election {
  readonly partition: number;
  /** The last generation that reads the log as it was. */
  readonly after: number;
  /** So many records stay. */
  readonly kept: number;
  /** So many other records come at the offsets of those that went. Their rows have an apostrophe: `partition/offset'`. */
  readonly written: number;
}

export class BatchModel {
  readonly group = new Map<number, Position>();
  readonly rows: string[] = [];
  /** What the table's view has counted. */
  readonly viewed: string[] = [];
  readonly deadLetters: { readonly place: string; readonly at: number }[] = [];
  /** The most partitions that one insert had records of. */
  widest = 0;
  readonly #given: ModelGiven;
  readonly #crashes: boolean[];
  readonly #elections: Election[];
  readonly #logs: { readonly offset: number; readonly isOther: boolean }[][];
  readonly #seen = new Set<string>();
  readonly #late: (() => void)[] = [];
  #generation = 0;
  #now = 1_000_000;

  constructor(given: ModelGiven) {
    this.#given = given;
    this.#crashes = [...given.crashes];
    this.#elections = [...(given.elections ?? [])];
    this.#logs = given.logs.map((log) =>
      log.map((offset) => ({ offset, isOther: false })),
    );
  }

  /** Lets one generation after the other record, until the logs are recorded and committed without an intent. */
  async recordAll(): Promise<void> {
    while (!this.#isDone()) {
      const generation = ++this.#generation;
      this.#elect(generation);
      const { generations, logs } = this.#given;
      const { owners, ...how } = generations[generation % generations.length]!;
      const shares: number[][] = Array.from({ length: owners }, () => []);
      for (let n = 0; n < logs.length; n++)
        shares[(n + generation) % owners]!.push(n);
      const assignments = shares.map((share) =>
        this.#assign(generation, share, how),
      );
      while (generation === this.#generation && !this.#isDone()) await turn();
      for (const assignment of assignments) assignment.end();
      await Promise.all(assignments.map(({ done }) => done));
    }
    while (this.#late.length > 0) this.#late.shift()!();
  }

  #isDone(): boolean {
    return this.#logs.every((_, partition) => {
      const stored = this.group.get(partition);
      return stored?.offset === this.#endOf(partition) && !stored.metadata;
    });
  }

  #endOf(partition: number): number {
    return (this.#logs[partition]!.at(-1)?.offset ?? 99) + 1;
  }

  #elect(generation: number): void {
    while (this.#elections[0] && this.#elections[0].after < generation) {
      const { partition, kept, written } = this.#elections.shift()!;
      const log = this.#logs[partition] ?? [];
      for (const { offset } of log.splice(kept).slice(0, written))
        log.push({ offset, isOther: true });
    }
  }

  #assign(
    generation: number,
    partitions: readonly number[],
    how: { readonly maxRecords: number; readonly mayShare: boolean },
  ): BatchAssignment<string> {
    const { judge } = createBatchJudge<string, string>({
      stage: { rowOf: ({ raw }) => placeOf(raw) },
      decode: (raw) =>
        this.#given.unreadable.has(placeOf(raw))
          ? { kind: "unreadable", reason: "unreadable", detail: "garbage" }
          : { kind: "decoded", value: "" },
      unknownSchemaWaitMs: 0,
      monotonic: () => 0,
    });
    const step = (): void => {
      if (generation !== this.#generation)
        throw new StaleAssignmentError("a new generation has begun");
      if (this.#crashes.shift() === true) {
        this.#generation++;
        throw new StaleAssignmentError("crashed");
      }
    };
    const positions = new Map<number, number>();
    const host: AssignmentHost<string> = {
      table: "t",
      topic: TOPIC,
      limits: {
        ...how,
        maxBytes: 1e9,
        lingerMs: 0,
        queueBytes: 1e9,
        schemaPollMs: 1,
      },
      mayShare: how.mayShare,
      judge,
      now: () => ++this.#now,
      monotonic: () => performance.now(),
      random: () => 0,
      isLeaseValid: () => true,
      fetchCommitted: async ({ partition }) => {
        step();
        return this.group.get(partition) ?? NEVER;
      },
      fetchLogRange: async (source) => {
        const end = this.#endOf(source.partition);
        return { ...source, start: 100, end };
      },
      fetchOnce: async (source, offset) => {
        step();
        return this.#batch(source, offset);
      },
      commit: async (commits) => {
        step();
        for (const { partition, offset, metadata } of commits) {
          if (metadata.length > 4_096) throw new Error("too long");
          this.group.set(partition, { offset, metadata });
        }
        step();
      },
      insert: async (rows, token) => {
        this.#runLate();
        if (this.#crashes[0] === true)
          this.#late.push(
            () => void this.#insert(rows, token, () => undefined),
          );
        step();
        return this.#insert(rows, token, step);
      },
      mend: async (rows) => {
        step();
        const missing = rows.filter((row) => !this.rows.includes(row));
        this.rows.push(...missing);
        return { kind: "mended", rows: missing.length };
      },
      refuse: async (entries, at) => {
        step();
        if (this.#given.isReducing === true) return;
        for (const { raw } of entries)
          this.deadLetters.push({ place: placeOf(raw), at });
        step();
      },
      reducedRowOf:
        this.#given.isReducing === true
          ? ({ raw }) => `${placeOf(raw)}/reduced`
          : undefined,
      pause: () => undefined,
      resume: (source) => {
        const offset = positions.get(source.partition)!;
        queueMicrotask(() => assignment.push(this.#batch(source, offset)));
      },
      seek: ({ partition }, offset) => void positions.set(partition, offset),
      report: (_, fact) => {
        if (fact.kind === "failed") throw fact.error;
      },
    };
    const assignment = new BatchAssignment(
      partitions.map((partition) => ({ topic: TOPIC, partition })),
      host,
    );
    return assignment;
  }

  #insert(
    rows: readonly string[],
    token: string,
    step: () => void,
  ): InsertResult {
    if (rows.some((row) => this.#given.bad.has(row)))
      return { kind: "refused", detail: "bad" };
    this.widest = Math.max(
      this.widest,
      new Set(rows.map((row) => row.split("/")[0])).size,
    );
    for (const part of [0, 1, 2]) {
      const own = rows.filter(
        (row) => parseInt(row.split("/")[1]!, 10) % 3 === part,
      );
      if (this.#isNew(`${token}/${part}`)) {
        step();
        this.rows.push(...own);
      }
      step();
      if (this.#isNew(`${token}/${part}/view`)) this.viewed.push(...own);
      step();
    }
    return { kind: "inserted" };
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #runLate(): void {
    if (this.#late.length > 0 && this.#now % 2 === 0) this.#late.shift()!();
  }

  #batch(source: TopicPartition, offset: number) {
    const end = this.#endOf(source.partition);
    const records = this.#logs
      [source.partition]!.filter((each) => each.offset >= offset)
      .map((each) => recordAt(source, each));
    return {
      ...source,
      fetchOffset: offset,
      records,
      lastOffset: end - 1,
      highWatermark: end,
    };
  }
}

function recordAt(
  source: TopicPartition,
  { offset, isOther }: { readonly offset: number; readonly isOther: boolean },
): RawRecord {
  return {
    ...source,
    offset,
    timestamp: isOther ? OTHER_TIME : 1_000 + offset,
    key: null,
    value: null,
    headers: {},
  };
}

function placeOf({ partition, offset, timestamp }: RawRecord): string {
  return `${partition}/${offset}${timestamp === OTHER_TIME ? "'" : ""}`;
}
