/** The figures of what was asked: of each group, and of each question over its target. */
import type { BenchResult, Figures } from "../context.ts";
import { median, percentile, rounded } from "../statistics.ts";
import type { Asked } from "./ask.ts";
import type { Group, Question } from "./question.ts";
import type { ReadFor } from "./read-for.ts";

export interface Counted extends Asked, ReadFor {}

/** The most that the 95th percentile of a group may take, ms; null where nothing is promised. */
const TARGET_MS: Readonly<Record<Group, number | null>> = {
  lists: 100,
  timelines: 100,
  day: 500,
  longer: null,
};
const GROUPS = Object.keys(TARGET_MS) as readonly Group[];

/** `say` gets each question over its target, and each without one, with its time, ClickHouse's CPU time and the rows read. */
export function queriesResult(
  counted: readonly Counted[],
  past: Figures,
  say: (text: string) => void,
): BenchResult {
  const byGroup = Map.groupBy(counted, ({ question }) => question.group);
  const of = (group: Group): readonly Counted[] => byGroup.get(group) ?? [];
  const p95 = (group: Group): number =>
    percentile(
      of(group).map(({ ms }) => ms),
      95,
    );
  const over: Record<string, number> = {};
  for (const group of GROUPS)
    for (const one of slowestFirst(of(group))) {
      const target = TARGET_MS[group];
      if (target !== null && one.medianMs <= target) continue;
      say(
        `${group}: ${one.name}: median ${one.medianMs} ms, most ${one.mostMs} ms, CPU ${one.cpuMs} ms, ${one.rows.toLocaleString("en")} rows`,
      );
      if (target === null) continue;
      over[`${one.name}: Ms`] = one.medianMs;
      over[`${one.name}: CpuMs`] = one.cpuMs;
      over[`${one.name}: Rows`] = one.rows;
    }
  return {
    bench: "queries",
    figures: {
      ...past,
      ...Object.assign(
        {},
        ...GROUPS.map((group) => figuresOf(group, of(group))),
      ),
      questionsOver: Object.keys(over).length / 3,
      ...over,
    },
    baseline: {},
    ratio: null,
    target: `p95 of lists and of timelines <= ${TARGET_MS.lists} ms, of aggregates of 24 hours <= ${TARGET_MS.day} ms`,
    pass: GROUPS.every((group) => p95(group) <= (TARGET_MS[group] ?? Infinity)),
    pairs: 0,
    spread: null,
  };
}

function figuresOf(group: Group, counted: readonly Counted[]): Figures {
  const ms = counted.map((one) => one.ms);
  return {
    [`${group}Requests`]: counted.length,
    [`${group}P50Ms`]: rounded(median(ms)),
    [`${group}P95Ms`]: rounded(percentile(ms, 95)),
    [`${group}MaxMs`]: rounded(Math.max(...ms)),
    [`${group}P95CpuMs`]: rounded(
      percentile(
        counted.map(({ cpuMs }) => cpuMs),
        95,
      ),
    ),
    [`${group}P50Rows`]: median(counted.map(({ rows }) => rows)),
    [`${group}MaxRows`]: Math.max(...counted.map(({ rows }) => rows)),
  };
}

interface ByQuestion {
  readonly name: string;
  readonly medianMs: number;
  readonly mostMs: number;
  /** Of ClickHouse; the median, too. */
  readonly cpuMs: number;
  /** The most that one of its requests read. */
  readonly rows: number;
}

function slowestFirst(counted: readonly Counted[]): readonly ByQuestion[] {
  const byName = Map.groupBy(counted, ({ question }) => nameOf(question));
  return [...byName]
    .map(([name, of]) => ({
      name,
      medianMs: rounded(median(of.map(({ ms }) => ms))),
      mostMs: rounded(Math.max(...of.map(({ ms }) => ms))),
      cpuMs: rounded(median(of.map(({ cpuMs }) => cpuMs))),
      rows: Math.max(...of.map(({ rows }) => rows)),
    }))
    .toSorted((one, other) => other.medianMs - one.medianMs);
}

const WHOSE = {
  all: "all tenants",
  big: "the biggest tenant",
  small: "a small tenant",
} as const;

function nameOf({ name, scope }: Question): string {
  return `${name} (${WHOSE[scope]})`;
}
