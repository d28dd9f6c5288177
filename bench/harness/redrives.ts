/** Makes deliveries that were given up, and redrives them as a person would, over control's API. */
import { waitFor, rowsOf } from "@postrider/testkit";
import { checkedReport, readAttempts } from "./checks.ts";
import { readRecords } from "./read-topic.ts";
import { arrivalsOf, checkLags, type Arrivals } from "./steady-rate.ts";
import { ADMIN_KEY, DATABASE } from "./subject.ts";
import { pidsOf, preloadEvents, type Whole } from "./whole.ts";

/** The highest rate that a replay may have. */
const HIGHEST_RATE = 10_000;

/** Deliveries whose one attempt was refused. Their endpoints must have `maxAttempts` 1. */
export interface GivenUp {
  readonly ids: ReadonlySet<string>;
  /** Of all of them, and of no others; RFC 3339. */
  readonly receivedSince: string;
  readonly receivedUntil: string;
}

/** Resolves once ClickHouse shows that they were given up. */
export async function giveUp(
  whole: Whole,
  run: string,
  count: number,
): Promise<GivenUp> {
  const { sink, topics } = whole;
  const receivedSince = new Date().toISOString();
  await sink.refuse();
  const ids = await preloadEvents(whole, { run, count });
  const receivedUntil = new Date(Date.now() + 1).toISOString();
  await sink.waitForUnique(count);
  await checkLags(topics);
  await checkedReport(sink, ids);
  await sink.accept();
  return { ids, receivedSince, receivedUntil };
}

/** A replay as control answers it. */
export interface ReplayAnswer {
  readonly id: string;
  readonly state: string;
  readonly detail: string | null;
  readonly total: number;
  readonly done: number;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
}

/** `ratePerSecond`: default the highest. */
export async function redrive(
  whole: Whole,
  { receivedSince, receivedUntil }: GivenUp,
  ratePerSecond = HIGHEST_RATE,
): Promise<ReplayAnswer> {
  return await ask(whole, "/v1/replays", {
    receivedSince,
    receivedUntil,
    ratePerSecond,
    confirm: true,
    why: "the receivers are back",
  });
}

/** Waits until the replay has ended by itself. Throws unless it has sent each of `count` deliveries, and left out none. */
export async function untilDone(
  whole: Whole,
  { id }: ReplayAnswer,
  count: number,
): Promise<ReplayAnswer> {
  let last: ReplayAnswer | null = null;
  const done = await waitFor(
    async () => {
      last = await ask<ReplayAnswer>(whole, `/v1/replays/${id}`);
      return last.state === "done" ? last : null;
    },
    { timeoutMs: 300_000, everyMs: 100, what: "the replay to be done" },
  ).catch((cause: unknown) => {
    throw new Error(`the replay is ${JSON.stringify(last)}`, { cause });
  });
  const { total, sent, leftOut } = done;
  const isWhole = total === count && sent === count && done.done === count;
  if (!isWhole || Object.keys(leftOut).length > 0)
    throw new Error(`${count} were selected: ${JSON.stringify(done)}`);
  return done;
}

export interface Redriven extends Arrivals {
  /** From the request for the replay to the first delivery at the sink, s. */
  readonly startSeconds: number;
  /** From the request for the replay until it was done, s. */
  readonly doneSeconds: number;
}

/** Redrives all of them at the highest rate. Each must come once. */
export async function redriven(
  whole: Whole,
  given: GivenUp,
): Promise<Redriven> {
  const { sink, topics } = whole;
  const { size } = given.ids;
  await sink.reset();
  const askedAt = performance.now();
  const secondsSince = (): number => (performance.now() - askedAt) / 1000;
  const replay = await redrive(whole, given);
  const done = untilDone(whole, replay, size).then(secondsSince);
  const first = sink.waitForUnique(1, 60_000).then(secondsSince);
  const [arrivals, startSeconds, doneSeconds] = await Promise.all([
    arrivalsOf(sink, pidsOf(whole), size, 60_000),
    first,
    done,
  ]);
  await checkLags(topics);
  await checkedReport(sink, given.ids);
  return { ...arrivals, startSeconds, doneSeconds };
}

/** Throws unless each of `count` deliveries was given up once, then redriven once, and then delivered: in the topics, and in ClickHouse. */
export async function checkRedriven(
  { topics, stack }: Whole,
  count: number,
): Promise<void> {
  const redriven = new Set<string>();
  let attempts = 0;
  let delivered = 0;
  await readAttempts(topics, (attempt) => {
    if (attempt.trigger !== "redrive" || attempt.attemptNumber === 0) return;
    attempts += 1;
    redriven.add(attempt.webhookId);
    if (attempt.outcome === "delivered") delivered += 1;
  });
  const reasons = new Map<string, number>();
  await readRecords(topics, "dead-letters", ({ reason }) => {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  });
  const [row] = await rowsOf<{ n: string; units: string }>(
    stack.clickhouse.url,
    `SELECT count() AS n, uniqExact(event_id, endpoint_id) AS units FROM ${DATABASE}.deliveries FINAL WHERE replay_id != '' AND status = 'delivered'`,
  );
  const found = {
    attempts,
    delivered,
    redriven: redriven.size,
    exhausted: reasons.get("exhausted") ?? 0,
    rows: Number(row?.n),
    units: Number(row?.units),
  };
  const isRight = Object.values(found).every((each) => each === count);
  if (!isRight || reasons.size > 1)
    throw new Error(
      `of ${count} deliveries: ${JSON.stringify({ ...found, reasons: [...reasons] })}`,
    );
}

async function ask<T>(
  { running }: Whole,
  path: string,
  body?: object,
): Promise<T> {
  const answer = await fetch(`${running.controlUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // Counting what is selected may take ten seconds.
    signal: AbortSignal.timeout(30_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T; // as control documents it
}
