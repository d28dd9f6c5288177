/** Fills the recorder's tables with a made-up past, inside ClickHouse. */
import { setTimeout as sleep } from "node:timers/promises";
import { rowsOf } from "@postrider/testkit";
import { attemptRowsSql } from "./attempt-sql.ts";
import { newestGapMs, type PastSize } from "./size.ts";
import { blockSql, onceSql } from "./table-sql.ts";

export interface PastAsked extends Omit<PastSize, "events" | "cutAt"> {
  readonly url: string;
  /** It must have been migrated. */
  readonly database: string;
  /** So many attempts, about. */
  readonly attempts: number;
  readonly say: (text: string) => void;
}

/** Events in one statement: the recorder's inserts are smaller, but merged into such parts soon. */
const BLOCK = 250_000;
/** The tail is inserted in so many blocks: small parts, as the recorder's of the last minutes, which nothing has merged yet. */
const TAIL_BLOCKS = 15;
/** Of so many events the attempts are counted, to know how many events make the wanted number. */
const SAMPLE = 20_000;

/** Inserts everything until `endsAt`, from old to new. */
export async function fillPast(asked: PastAsked): Promise<PastSize> {
  const { url, database, say } = asked;
  const size = await sizeOf(asked);
  for (let from = 0; from < size.events; from += BLOCK) {
    const to = Math.min(from + BLOCK, size.events);
    for (const sql of blockSql(database, size, [from, to])) await run(url, sql);
    say(`past: ${to} of ${size.events} events`);
  }
  for (const sql of onceSql(database, size)) await run(url, sql);
  return size;
}

/** Goes on where `size` ends, until `until` (epoch ms), at the rate of the newest days and in small parts. Returns how many events that were. */
export async function extendPast(
  { url, database }: Pick<PastAsked, "url" | "database">,
  size: PastSize,
  until: number,
): Promise<number> {
  const gapMs = newestGapMs(size);
  const last = size.events + Math.floor((until - size.endsAt) / gapMs);
  const block = Math.ceil((last - size.events) / TAIL_BLOCKS);
  for (let from = size.events; from < last; from += block) {
    const to = Math.min(from + block, last);
    // The numbers keep their times: only what is left out as later is less.
    const sql = blockSql(database, { ...size, cutAt: until }, [from, to]);
    for (const each of sql) await run(url, each);
  }
  return last - size.events;
}

/** On a busy machine a block takes longer than a client of ClickHouse waits. */
async function run(url: string, sql: string): Promise<void> {
  const answer = await fetch(url, { method: "POST", body: sql });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Waits until ClickHouse merges nothing, at most so long. Returns whether that was so. */
export async function mergesEnd(
  url: string,
  withinMs: number,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const running = await rowsOf(url, "SELECT 1 FROM system.merges LIMIT 1");
    if (running.length === 0) return true;
    await sleep(500);
  }
  return false;
}

async function sizeOf({
  url,
  attempts,
  tenants,
  endpoints,
  endsAt,
}: PastAsked): Promise<PastSize> {
  // In the middle of so many that their times are long past: whatever their number, their attempts are the same.
  const events = 10 * SAMPLE;
  const sql = attemptRowsSql(
    { events, tenants, endpoints, endsAt, cutAt: endsAt },
    0,
    SAMPLE,
  );
  const [row] = await rowsOf<{ attempts: string }>(
    url,
    `SELECT countIf(a > 0) AS attempts FROM (${sql})`,
  );
  const each = Number(row!.attempts) / SAMPLE;
  return {
    events: Math.round(attempts / each),
    tenants,
    endpoints,
    endsAt,
    cutAt: endsAt,
  };
}
