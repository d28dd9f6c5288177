/** Counts what a filter says of recorded events, for a bounded time, with one page in memory. */
import { setImmediate } from "node:timers/promises";
import { FilterSubject, type Judgement } from "@postrider/filter";
import type { Clock } from "@postrider/runtime";
import type { Reading } from "../reading.ts";
import type { MatchAsked } from "./match-asked.ts";
import type { MatchAnswer } from "./match-operation.ts";
import {
  countSql,
  pageSql,
  type MatchPlace,
  type MatchRow,
} from "./match-sql.ts";

/** A person waits for the answer. */
const READ_FOR_MS = 8_000;
/** After so long, what else this process does gets its turn. */
const TURN_MS = 10;
/** So many reasons are told apart: that a payload is not JSON names a place in it. */
const MAX_REASONS = 100;
const SHOWN_REASONS = 5;

export type MatchCounts = Pick<
  MatchAnswer,
  "events" | "read" | "passed" | "filtered" | "failed" | "unknown" | "failures"
>;

export async function readMatches(
  asked: MatchAsked,
  {
    reading,
    clock,
    gone,
  }: {
    readonly reading: Pick<Reading, "select">;
    readonly clock: Clock;
    readonly gone: AbortSignal;
  },
): Promise<MatchCounts> {
  const until = clock.monotonic() + READ_FOR_MS;
  const isOver = () => gone.aborted || clock.monotonic() >= until;
  const counting = countSql(asked);
  const [counted] = await reading.select<{ events: number }>(
    counting.sql,
    counting.values,
  );
  const tally = new Tally();
  let after: MatchPlace | null = null;
  let turnUntil = clock.monotonic() + TURN_MS;
  while (!isOver()) {
    const page = pageSql(asked, after);
    const rows: readonly MatchRow[] = await reading.select<MatchRow>(
      page.sql,
      page.values,
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) {
      if (isOver()) break;
      tally.add(judged(row, asked));
      if (clock.monotonic() < turnUntil) continue;
      await setImmediate();
      turnUntil = clock.monotonic() + TURN_MS;
    }
    after = { ...last, eventId: last.id };
  }
  // More may have been recorded since they were counted.
  const events = Math.max(counted?.events ?? 0, tally.read);
  return { events, ...tally.counts() };
}

function judged(
  row: MatchRow,
  { filter, tenantId }: MatchAsked,
): Judgement | null {
  if (filter.readsPayload && row.kept !== row.bytes) return null;
  const facts = {
    id: row.id,
    type: row.type,
    tenantId,
    occurredAt: row.occurred,
  };
  return filter.judge(
    new FilterSubject(facts, Buffer.from(row.body, "base64")),
  );
}

class Tally {
  readonly #by = { passed: 0, filtered: 0, failed: 0, unknown: 0 };
  readonly #reasons = new Map<string, number>();

  get read(): number {
    return Object.values(this.#by).reduce((sum, each) => sum + each, 0);
  }

  /** Null: the payload was not kept. */
  add(judgement: Judgement | null): void {
    this.#by[judgement?.kind ?? "unknown"] += 1;
    if (judgement?.kind !== "failed") return;
    const { reason } = judgement;
    const known = this.#reasons.get(reason) ?? 0;
    if (known > 0 || this.#reasons.size < MAX_REASONS)
      this.#reasons.set(reason, known + 1);
  }

  counts(): Omit<MatchCounts, "events"> {
    const failures = [...this.#reasons]
      .map(([reason, count]) => ({ reason, count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, SHOWN_REASONS);
    return { read: this.read, ...this.#by, failures };
  }
}
