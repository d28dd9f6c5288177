/** route: events that 10 of 10,000 endpoints want, the route stage alone on one core, against a bare copy of its deliveries from topic to topic. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import { topicName } from "@postrider/messaging";
import { checkDeadLetters, checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import { frozen } from "../harness/frozen.ts";
import {
  endpointAt,
  eventOf,
  eventRecord,
  preload,
  writeEndpoints,
} from "../harness/load.ts";
import { cpuSecondsOf } from "../harness/proc-stat.ts";
import {
  messageOf,
  OTHER_CORE,
  pin,
  type Pinned,
  programOf,
  startPinned,
  SUBJECT_CORE,
} from "../harness/processes.ts";
import { readRecords } from "../harness/read-topic.ts";
import {
  createTopics,
  logEnds,
  startOwnStack,
  type Topics,
} from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import {
  ADMIN_KEY,
  explained,
  type PinnedService,
  startPinnedService,
  untilReady,
} from "../harness/subject.ts";

const TARGET = 0.7;
/** The least that is left of the rate when most endpoints do not match. */
const INDEPENDENT = 0.9;
const MATCHING = 10;
const ALL = 10_000;
/** The types that the other endpoints want, as many of them as there may be in a large product. */
const OTHER_TYPES = 500;
const TENANT = "tenant0";
const WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 10;

interface Measured {
  /** Deliveries per CPU second of the process. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

/** A round: the same events with 10,000 endpoints and with 10, and a copy of the deliveries that the first has made. */
interface Round {
  readonly wide: Measured;
  readonly copy: Measured;
  readonly few: Measured;
}

interface Site {
  readonly topics: Topics;
  readonly service: PinnedService;
  readonly endpoints: readonly Endpoint[];
}

export async function route(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const count = isShort ? 8_000 : 15_000;
  const stack = await startOwnStack(context);
  const broker = stack.kafka.server?.pid();
  if (broker) pin(broker, OTHER_CORE);
  pin(process.pid, OTHER_CORE);
  await stack.clickhouse.server?.stop();
  const wide = await startSite(context, stack, "wide.", ALL);
  const few = await startSite(context, stack, "few.", MATCHING);
  const copies = await createTopics(context, stack, "copy.", { tiers: "1s" });
  const copy = await startCopy(stack, wide.topics, copies);
  const rounds: Round[] = [];
  for (let nth = 0; nth < (isShort ? 4 : 6); nth++) {
    const run = (site: Site): Promise<Measured> =>
      explained(context, site.service, () => routed(site, nth, count));
    const measured: Partial<Record<keyof Round, Measured>> = {};
    // Else it would copy while the deliveries are made, on the same core.
    const ends = await recordsIn(copies);
    await frozen(copy.pid, async () => {
      // Each is the first in every other round: a machine that slows down would else count against one of them.
      if (nth % 2 === 0) measured.few = await run(few);
      measured.wide = await run(wide);
      if (nth % 2 === 1) measured.few = await run(few);
    });
    const made = count * MATCHING;
    measured.copy = await measure(copies, copy.pid, { from: ends, made });
    const round = measured as Round; // each of the three is set above
    rounds.push(round);
    say(`round ${nth}: ${JSON.stringify(round)}`);
  }
  for (const { topics } of [wide, few])
    await checkDeliveries(topics, rounds.length * count);
  if ((await recordsIn(copies)) !== rounds.length * count * MATCHING)
    throw new Error("the copy has another number of records");
  return resultOf(rounds);
}

async function startSite(
  context: BenchContext,
  stack: Stack,
  ...[prefix, endpoints]: readonly [string, number]
): Promise<Site> {
  const topics = await createTopics(context, stack, prefix, { tiers: "1s" });
  const all = Array.from({ length: endpoints }, (_, i) =>
    endpointAt(i, "http://127.0.0.1:9/hook", {
      tenantId: TENANT,
      eventTypes: [i < MATCHING ? "order.*" : `other.type${i % OTHER_TYPES}`],
    }),
  );
  await writeEndpoints(topics, all);
  const service = await startPinnedService(context, {
    name: "ingest",
    cores: SUBJECT_CORE,
    stack,
    topics,
    env: {
      POSTRIDER_INGEST_ROLES: "route",
      POSTRIDER_ADMIN_KEY: ADMIN_KEY,
      // It is frozen while events are written, and must keep its partitions.
      POSTRIDER_SESSION_TIMEOUT: "30s",
    },
  });
  await untilReady(service);
  return { topics, service, endpoints: all };
}

async function startCopy(
  stack: Stack,
  from: Topics,
  to: Topics,
): Promise<Pinned> {
  const copy = startPinned({
    name: "copy-topic",
    cores: SUBJECT_CORE,
    // kafkajs without our patches.
    nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
    main: programOf("baselines/copy-topic.ts"),
    args: [
      stack.kafka.brokers[0]!,
      topicName(from.prefix, "deliveries"),
      topicName(to.prefix, "deliveries"),
    ],
  });
  await messageOf(copy, "ready");
  return copy;
}

async function routed(
  { topics, service, endpoints }: Site,
  nth: number,
  count: number,
): Promise<Measured> {
  const from = await recordsIn(topics);
  await frozen(service.pid, () =>
    preload(topics, count, (i) =>
      eventRecord(eventOf(String(nth), i, endpoints.slice(0, MATCHING))),
    ),
  );
  const made = count * MATCHING;
  const measured = await measure(topics, service.pid, { from, made });
  await checkLag(topics, "route", "events");
  return measured;
}

/** Measures from a tenth of the records of `deliveries` that are made to nine tenths; resolves when all are there. */
async function measure(
  topics: Topics,
  pid: number,
  { from, made }: { readonly from: number; readonly made: number },
): Promise<Measured> {
  const until = performance.now() + WITHIN_MS;
  const at = async (share: number) => {
    for (;;) {
      const records = (await recordsIn(topics)) - from;
      if (records >= share * made)
        return { records, atMs: performance.now(), cpu: cpuSecondsOf(pid) };
      if (performance.now() > until)
        throw new Error(`${records} of ${made} deliveries were written`);
      await sleep(LOOK_EVERY_MS);
    }
  };
  const first = await at(0.1);
  const last = await at(0.9);
  await at(1);
  const records = last.records - first.records;
  return {
    perCpuSecond: records / (last.cpu - first.cpu),
    perSecond: (1_000 * records) / (last.atMs - first.atMs),
  };
}

async function recordsIn(topics: Topics): Promise<number> {
  const ends = await logEnds(topics, "deliveries");
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
}

/** Each event must have one delivery to each endpoint that wants it. */
async function checkDeliveries(topics: Topics, events: number): Promise<void> {
  const ids = new Set<string>();
  const endpoints = new Set<string>();
  let records = 0;
  await readRecords(topics, "deliveries", ({ deliveryId, endpointId }) => {
    records += 1;
    ids.add(deliveryId);
    endpoints.add(endpointId);
  });
  const expected = events * MATCHING;
  if (
    records !== expected ||
    ids.size !== expected ||
    endpoints.size !== MATCHING
  )
    throw new Error(
      `${records} deliveries with ${ids.size} ids to ${endpoints.size} endpoints; expected ${expected} to ${MATCHING}`,
    );
  await checkDeadLetters(topics);
}

function resultOf(rounds: readonly Round[]): BenchResult {
  const against = (subject: keyof Round, baseline: keyof Round) =>
    compare(
      rounds.map((round) => ({
        subject: round[subject].perCpuSecond,
        baseline: round[baseline].perCpuSecond,
      })),
    );
  const { ratio, spread, pairs } = against("wide", "copy");
  const { ratio: independence } = against("wide", "few");
  return {
    bench: "route",
    figures: {
      ...figuresOf(rounds, "wide", "deliveries"),
      ...figuresOf(rounds, "few", "deliveriesOf10Endpoints"),
      independenceRatio: rounded(independence),
    },
    baseline: figuresOf(rounds, "copy", "records"),
    ratio: rounded(ratio),
    target: `deliveries per CPU second: ratio >= ${TARGET} of a bare copy of the same bytes; >= ${INDEPENDENT} of those without the endpoints that do not match`,
    pass: ratio >= TARGET && independence >= INDEPENDENT,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}

function figuresOf(
  rounds: readonly Round[],
  of: keyof Round,
  name: string,
): Figures {
  const middle = (key: keyof Measured): number =>
    median(withoutFirst(rounds).map((round) => round[of][key]));
  return {
    [`${name}PerCpuSecond`]: rounded(middle("perCpuSecond")),
    [`${name}CpuMicros`]: rounded(1e6 / middle("perCpuSecond")),
    [`${name}PerSecond`]: rounded(middle("perSecond")),
  };
}
