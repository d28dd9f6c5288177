/** crash: kill -9 of the dispatcher, again and again, at 1,000 deliveries a second. Measures what is lost, forked and repeated, and how soon delivery goes on. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  bodyHash,
  checkInvariants,
  explainedRepeats,
  replayRunner,
  seededRandom,
  waitFor,
  type Evidence,
  type Interruption,
  type PublishedEntry,
} from "@postrider/testkit";
import { checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { crashEvidence } from "../harness/crash-evidence.ts";
import { BODY, BODY_BYTES, eventOf, eventRecord } from "../harness/load.ts";
import { nowMicros, openLoop } from "../harness/open-loop.ts";
import { BOTH_CORES } from "../harness/processes.ts";
import { median, percentile, rounded } from "../harness/statistics.ts";
import { startPinnedService } from "../harness/subject.ts";
import { GROUPS, startWhole, type Whole } from "../harness/whole.ts";
import { failingBody } from "../sink/failures.ts";

const PER_SECOND = 1_000;
const SESSION_TIMEOUT_MS = 6_000;
const TARGET = { commitAgeP99Ms: 50, resumedMs: SESSION_TIMEOUT_MS + 5_000 };
/** One event in this many is refused once, so that retries are under way when the dispatcher dies. */
const FAILS_EVERY = 20;
const FAILING = failingBody(1, BODY_BYTES);
const TIERS = ["retry.1s", "retry.2s"] as const;

interface Kill {
  /** The time of the kill, in µs of the machine's monotonic clock. */
  readonly atMicros: number;
  /** From the kill to the first request of the next dispatcher. */
  readonly resumedMs: number;
}

export async function crash(context: BenchContext): Promise<BenchResult> {
  const kills = context.isShort ? 4 : 20;
  const whole = await startWhole(context, {
    prefix: "crash.",
    services: ["ingest", "retry-scheduler", "recorder", "control"],
    env: { POSTRIDER_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS / 1000}s` },
    endpoint: { retryDelaysMs: [1_000, 2_000] },
    sinkArgs: ["--log"],
  });
  const ledgerFile = join(context.folder, "runner-ledger");
  const published: PublishedEntry[] = [];
  const interruptions: Interruption[] = [];
  let isOver = false;
  const publishing = publish(whole, published, () => isOver);
  const killing = killAgainAndAgain(context, whole, {
    kills,
    ledgerFile,
    interruptions,
  }).finally(() => (isOver = true));
  const [, killed] = await Promise.all([publishing, killing]);
  await comeToRest(whole, published.length);
  const report = await whole.sink.report();
  const evidence = await crashEvidence(whole, {
    published,
    log: report.log,
    bodies: [BODY, FAILING],
    interruptions,
    ledgerFile,
  });
  return resultOf(context, evidence, killed);
}

async function publish(
  { topics, endpoints }: Whole,
  published: PublishedEntry[],
  isOver: () => boolean,
): Promise<void> {
  const hashes = { healthy: bodyHash(BODY), failing: bodyHash(FAILING) };
  await openLoop({
    count: Infinity,
    perSecond: PER_SECOND,
    isOver,
    send: async (from, to) => {
      const events = Array.from({ length: to - from }, (_, i) => {
        const fails = (from + i) % FAILS_EVERY === 0;
        const load = eventOf("0", from + i, endpoints, fails ? FAILING : BODY);
        return { ...load, hash: fails ? hashes.failing : hashes.healthy };
      });
      await topics.output.send(events.map(eventRecord));
      const at = Date.now();
      for (const { event, hash } of events)
        published.push({
          kind: "published",
          tenantId: event.tenantId,
          eventId: event.id,
          bodyHash: hash,
          at,
          monotonicMs: nowMicros() / 1000,
        });
    },
  });
}

async function killAgainAndAgain(
  context: BenchContext,
  whole: Whole,
  given: {
    readonly kills: number;
    readonly ledgerFile: string;
    readonly interruptions: Interruption[];
  },
): Promise<Kill[]> {
  const { stack, topics, sink } = whole;
  const { kills, ledgerFile, interruptions } = given;
  const random = seededRandom(20, "crash");
  const start = () =>
    startPinnedService(context, {
      name: "dispatcher",
      cores: BOTH_CORES,
      stack,
      topics,
      env: {
        POSTRIDER_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS / 1000}s`,
        POSTRIDER_RUNNER_LEDGER: ledgerFile,
      },
    });
  const killed: Kill[] = [];
  let dispatcher = await start();
  await sink.waitForUnique(1);
  while (killed.length < kills) {
    await sleep(random.between(2_000, 4_000));
    const from = Date.now();
    const atMicros = nowMicros();
    dispatcher.child.kill("SIGKILL");
    await dispatcher.ended;
    interruptions.push({ from, until: Date.now() });
    dispatcher = await start();
    // Requests that the dead dispatcher had written to its sockets have arrived by now, and the new one cannot have joined yet.
    const { requests } = await sink.count();
    await waitFor(async () => (await sink.count()).requests > requests, {
      timeoutMs: 60_000,
      everyMs: 10,
      what: "a request after a kill",
    });
    const resumedMs = (nowMicros() - atMicros) / 1000;
    killed.push({ atMicros, resumedMs });
    context.say(
      `kill ${killed.length}: resumed after ${Math.round(resumedMs)} ms`,
    );
  }
  return killed;
}

/** Waits until everything that was published has been delivered and recorded, including retries. */
async function comeToRest(
  { sink, topics }: Whole,
  events: number,
): Promise<void> {
  await sink.waitForUnique(events);
  // A delivery that waits in a tier comes back to `deliveries`, so the group of `deliveries` is checked again after the tiers.
  for (let round = 0; round < 2; round++) {
    for (const [group, topic] of GROUPS.slice(0, 2))
      await checkLag(topics, group, topic, 60_000);
    for (const tier of TIERS)
      await checkLag(topics, "retry-scheduler", tier, 60_000);
  }
  for (const [group, topic] of GROUPS)
    await checkLag(topics, group, topic, 60_000);
}

function resultOf(
  { say }: BenchContext,
  evidence: Evidence,
  kills: readonly Kill[],
): BenchResult {
  const violations = checkInvariants(evidence);
  for (const { invariant, subject, detail } of violations.slice(0, 20))
    say(`${invariant}: ${subject}: ${detail}`);
  const count = (...kinds: readonly string[]): number =>
    violations.filter(({ invariant }) => kinds.includes(invariant)).length;
  const commitAges = commitAgesOf(evidence);
  const steps = new Set(
    evidence.attempts
      .filter(({ attemptNumber }) => attemptNumber > 0)
      .map(({ deliveryId, step }) => `${deliveryId}#${step}`),
  );
  const explained = explainedRepeats({
    ...evidence,
    replay: replayRunner(evidence.runner),
  });
  const resumed = kills.map(({ resumedMs }) => resumedMs);
  const figures = {
    kills: kills.length,
    events: evidence.published.length,
    lost: count("lost", "unseen_delivery"),
    forks: count("fork"),
    repeated: evidence.received.length - steps.size,
    repeatsAllowed: [...explained.values()].reduce((sum, n) => sum + n, 0),
    repeatsBeyond: count("repeats"),
    otherViolations:
      violations.length - count("lost", "unseen_delivery", "fork", "repeats"),
    commitAgeP50Ms: rounded(percentile(commitAges, 50)),
    commitAgeP99Ms: rounded(percentile(commitAges, 99)),
    resumedP50Ms: rounded(median(resumed)),
    resumedMaxMs: rounded(Math.max(...resumed)),
  };
  return {
    bench: "crash",
    figures,
    baseline: {},
    ratio: null,
    target: `lost 0, forks 0, no repeat beyond what was in flight or uncommitted, commit age p99 <= ${TARGET.commitAgeP99Ms} ms, resumed within ${TARGET.resumedMs} ms`,
    pass:
      violations.length === 0 &&
      figures.commitAgeP99Ms <= TARGET.commitAgeP99Ms &&
      figures.resumedMaxMs <= TARGET.resumedMs,
    pairs: 1,
    spread: null,
  };
}

/** The time from each completion to the acknowledged commit that covers it, within the life of one dispatcher, ms. */
function commitAgesOf({ runner }: Evidence): number[] {
  const lives = Map.groupBy(runner, ({ pid }) => pid);
  return [...lives.values()].flatMap(
    (entries) => replayRunner(entries).commitAgesMs,
  );
}
