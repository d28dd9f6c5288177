import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { BatchProtocol } from "./batch-protocol.ts";
import type { BatchEffects, BatchEntry } from "./batch-protocol.ts";
import { planBatchStart } from "./batch-start.ts";
import { encodeIntent } from "./intent-metadata.ts";
import type { RawRecord } from "../record.ts";

class Crash extends Error {}

/**
 * A model of a group, of a table in three parts that deduplicates per part and token as ClickHouse does, and of dead letters. Each step
 * may crash before or after it acts; the table may also crash after it noted a token and before it stored that part's rows.
 */
class World {
  group = { offset: null as number | null, metadata: "" };
  readonly rows: number[] = [];
  readonly deadLetters: { offset: number; at: number }[] = [];
  readonly intents: string[] = [];
  readonly #seen = new Set<string>();
  #now = 0;
  readonly #badRows: ReadonlySet<number>;
  readonly #crashes: boolean[];

  constructor(badRows: ReadonlySet<number>, crashes: readonly boolean[]) {
    this.#badRows = badRows;
    this.#crashes = [...crashes];
  }

  effects(isReducing = false): BatchEffects<number> {
    return {
      commit: async (offset, intent) => {
        this.#mayCrash();
        this.group = {
          offset,
          metadata: intent === null ? "" : encodeIntent(intent),
        };
        this.#mayCrash();
      },
      insert: async (rows, token, isInDoubt) => {
        this.#mayCrash();
        if (rows.some((row) => this.#badRows.has(row)))
          return { kind: "refused", detail: "bad" };
        for (const part of [0, 1, 2]) {
          const key = `${token}/${part}`;
          if (!this.#seen.has(key)) {
            this.#seen.add(key);
            this.#mayCrash();
            this.rows.push(...rows.filter((row) => Math.abs(row) % 3 === part));
          }
          this.#mayCrash();
        }
        if (isInDoubt) {
          this.rows.push(...rows.filter((row) => !this.rows.includes(row)));
          this.#mayCrash();
        }
        return { kind: "inserted" };
      },
      refuse: async (entries, at) => {
        if (isReducing) return;
        this.#mayCrash();
        for (const { raw } of entries)
          this.deadLetters.push({ offset: raw.offset, at });
        this.#mayCrash();
      },
      ...(isReducing ? { reducedRowOf: (entry) => -1 - entry.raw.offset } : {}),
      waitForTable: () => Promise.reject(new Crash("never in these tests")),
      now: () => ++this.#now,
    };
  }

  #mayCrash(): void {
    if (this.#crashes.shift() === true) throw new Crash();
  }
}

function record(offset: number): RawRecord {
  return {
    topic: "t",
    partition: 0,
    offset,
    timestamp: 1_000 + offset,
    key: null,
    value: null,
    headers: {},
  };
}

/** Owners one after the other, each until it crashes, until the log is recorded. */
async function recordAll(
  world: World,
  log: {
    offsets: readonly number[];
    unreadable: ReadonlySet<number>;
    sizes: readonly number[];
  },
  isReducing = false,
): Promise<void> {
  const end = log.offsets.at(-1)! + 1;
  const entryOf = (offset: number): BatchEntry<number> =>
    log.unreadable.has(offset)
      ? {
          kind: "refused",
          raw: record(offset),
          refusal: { reason: "unreadable", detail: "garbage" },
        }
      : { kind: "row", raw: record(offset), row: offset };
  for (let turn = 0; ; turn++) {
    const start = planBatchStart(world.group, { start: log.offsets[0]!, end });
    const protocol = new BatchProtocol({
      table: "t",
      source: { topic: "t", partition: 0 },
      base: start.base,
      isSettled: false,
      effects: world.effects(isReducing),
    });
    const between = (from: number, to: number) =>
      log.offsets.filter((offset) => offset >= from && offset <= to);
    try {
      if (start.intent !== null)
        await protocol.repeat(
          between(start.base, start.intentEnd).map(entryOf),
          start.intent,
          start.intentEnd,
        );
      for (let n = turn; protocol.base < end; n++) {
        const size = log.sizes[n % log.sizes.length]!;
        await protocol.record(
          between(protocol.base, end).slice(0, size).map(entryOf),
        );
      }
      await protocol.settle(end);
      return;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

const logs = fc.record({
  gaps: fc.array(fc.integer({ min: 1, max: 3 }), {
    minLength: 1,
    maxLength: 40,
  }),
  bad: fc.array(fc.nat(39), { maxLength: 6 }),
  unreadable: fc.array(fc.nat(39), { maxLength: 6 }),
  sizes: fc.array(fc.integer({ min: 1, max: 20 }), {
    minLength: 1,
    maxLength: 5,
  }),
  crashes: fc.array(fc.boolean(), { maxLength: 80 }),
});

function layOut(log: { gaps: number[]; bad: number[]; unreadable: number[] }) {
  let offset = 100;
  const offsets = log.gaps.map((gap) => (offset += gap));
  const pick = (indexes: readonly number[]) =>
    new Set(indexes.filter((n) => n < offsets.length).map((n) => offsets[n]!));
  return { offsets, bad: pick(log.bad), unreadable: pick(log.unreadable) };
}

test("whatever crashes between whichever steps, each good row is inserted once and each bad record makes one dead letter", async () => {
  await fc.assert(
    fc.asyncProperty(logs, async (log) => {
      const { offsets, bad, unreadable } = layOut(log);
      const world = new World(bad, log.crashes);

      await recordAll(world, { offsets, unreadable, sizes: log.sizes });

      const lost = new Set([...bad, ...unreadable]);
      expect([...world.rows].sort((a, b) => a - b)).toEqual(
        offsets.filter((offset) => !lost.has(offset)),
      );
      // A crash can repeat a dead letter, but then both are equal: same offset, same time.
      const distinct = new Set(
        world.deadLetters.map(({ offset, at }) => `${offset}@${at}`),
      );
      expect(distinct.size).toBe(lost.size);
      expect(new Set(world.deadLetters.map(({ offset }) => offset))).toEqual(
        lost,
      );
      expect(world.group).toEqual({
        offset: offsets.at(-1)! + 1,
        metadata: "",
      });
    }),
    { numRuns: 1_000 },
  );
});

test("in dead-letters itself a refused record becomes a reduced row, and no dead letter", async () => {
  await fc.assert(
    fc.asyncProperty(logs, async (log) => {
      const { offsets, bad, unreadable } = layOut(log);
      const world = new World(bad, log.crashes);

      await recordAll(world, { offsets, unreadable, sizes: log.sizes }, true);

      const expected = offsets.map((offset) =>
        bad.has(offset) || unreadable.has(offset) ? -1 - offset : offset,
      );
      expect([...world.rows].sort((a, b) => a - b)).toEqual(
        expected.sort((a, b) => a - b),
      );
      expect(world.deadLetters).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("one bad row among 4,096 is found in 25 inserts", async () => {
  const world = new World(new Set([2_345]), []);
  const effects = world.effects();
  let inserts = 0;
  const protocol = new BatchProtocol<number>({
    table: "t",
    source: { topic: "t", partition: 0 },
    base: 0,
    isSettled: true,
    effects: {
      ...effects,
      insert: (...insert) => (inserts++, effects.insert(...insert)),
    },
  });

  await protocol.record(
    Array.from({ length: 4_096 }, (_, offset) => ({
      kind: "row" as const,
      raw: record(offset),
      row: offset,
    })),
  );

  expect(world.rows).toHaveLength(4_095);
  expect(inserts).toBe(25); // 1 + 2 for each of 12 levels; the bad row alone is not sent again
});
