import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  readiness,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import {
  createAvroCodec,
  groupIdOf,
  groupsOf,
  readSchemaFiles,
  type LogRange,
  type OutRecord,
  type ProducerRecord,
  type RawRecord,
} from "@postrider/messaging";
import { verify } from "@postrider/signing";
import {
  aDeadLetter,
  aDelivery,
  anAttempt,
  anAuditEntry,
  anEndpoint,
  anEvent,
  anIntake,
  aSignal,
  readTopics,
  rowsOf,
  startReceiver,
  useStack,
  waitFor,
  type ReceivedRequest,
} from "@postrider/testkit";
import { garbageFor, reasonOf } from "./garbage.ts";

const COUNT = 200;
const SEED = 7;
/** Generous, because the machine may be busy with other work. */
const PATIENCE_MS = 60_000;
const TIERS = "200ms,500ms,1s";
const SECRET = "whsec_Z2FyYmFnZSBpbiwgZ29vZCBldmVudHMgb3V0IQ==";

const stack = useStack();
const { prefix, database, clickhouseUrl } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-garbage-"));
const tiers = parseTiers(TIERS);
const tierTopics = tiers.map(({ topic }) => topic);
/** Topics whose records are work. Each garbage record of them must be given up as one dead letter. */
const WORK = [
  "events",
  "deliveries",
  ...tierTopics,
  "attempts",
  "intake",
  "signals",
  "audit",
  "dead-letters",
];
const COMPACTED = ["endpoints", "control", "schemas"];

let running: RunningServices | undefined;
afterEach(async () => {
  await running?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

test("a garbage record on every topic neither stops a partition nor is lost", async () => {
  await stack.createAllTopics(...tierTopics);
  await migrate({ url: clickhouseUrl, database });
  const garbage = [...WORK, ...COMPACTED].map((name, index) =>
    garbageFor({
      topic: prefix + name,
      partitions: name === "control" || name === "schemas" ? 1 : 2,
      count: COUNT,
      needsKey: COMPACTED.includes(name),
      seed: SEED + index,
      sound: soundValueOf(name),
    }),
  );
  // The first half is in the topics when the services start, the second half comes while they run.
  await write(garbage.flatMap((records) => records.slice(0, COUNT / 2)));
  const services = await start();
  await write(garbage.flatMap((records) => records.slice(COUNT / 2)));

  await goodEventsArrive(services);

  const ends = await expectedEnds(
    garbage.flat().filter(({ topic }) => WORK.includes(nameOf(topic))),
  );
  await expectSoon(endsFound, ends);
  await expectSoon(
    intakeFound,
    ends
      .filter((end) => end.startsWith(`${prefix}events/`))
      .map((end) => end.split(" ")[0]!),
  );
  await waitFor(async () => (await lagging()).length === 0, {
    what: "every group to be at the end of its topics",
  });
  const unreadable = unreadableIn(garbage, "endpoints");
  await waitFor(async () => {
    expect(await leftOut("endpoints")).toEqual({
      ingest: unreadable,
      dispatcher: unreadable,
      control: unreadable,
    });
    return true;
  });
  for (const service of services.services) {
    expect(service.hasExited()).toBe(false);
    await waitFor(
      async () => (await readiness(service.adminUrl))?.isReady === true,
      { what: `${service.name} to be ready` },
    );
    expect(readFileSync(service.logFile, "utf8")).not.toMatch(
      /uncaught|unhandled|crashed/i,
    );
  }
}, 300_000);

async function start(): Promise<RunningServices> {
  running = await startServices({
    ...stack.forServices,
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    readyTimeoutMs: 2 * PATIENCE_MS,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_UNKNOWN_SCHEMA_WAIT: "1s",
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
  return running;
}

/** One event, published at the door, arrives at an endpoint's second attempt, through a tier. Another, written to the topic, arrives at an inline destination. */
async function goodEventsArrive({
  controlUrl,
  ingestUrl,
}: RunningServices): Promise<void> {
  let hooks = 0;
  const receiver = await startReceiver({
    answer: ({ path }) => (path === "/hook" && (hooks += 1) === 1 ? 500 : 200),
  });
  try {
    await call(controlUrl, "/v1/endpoints", {
      tenantId: "acme",
      url: `${receiver.url}/hook`,
      eventTypes: ["order.*"],
      secret: SECRET,
      retryDelaysMs: [1_000, 1_000, 1_000],
    });
    await waitFor(async () => (await entriesOf("ingest")) === 1);
    await waitFor(async () => (await entriesOf("dispatcher")) === 1);
    const event = { id: "e_1", type: "order.paid", tenantId: "acme" };
    await call(ingestUrl, "/v1/events", { ...event, payload: { total: 12.5 } });
    const destination = { url: `${receiver.url}/inline`, secret: SECRET };
    const inline = { ...event, id: "e_2", payload: "{}", destination };
    await write([
      {
        topic: `${prefix}events`,
        partition: 1,
        key: null,
        value: Buffer.from(JSON.stringify(inline)),
      },
    ]);

    const retried = await receiver.waitForRequests(2, {
      where: to("/hook"),
      timeoutMs: PATIENCE_MS,
    });
    const inlines = await receiver.waitForRequests(1, {
      where: to("/inline"),
      timeoutMs: PATIENCE_MS,
    });

    for (const { headers, body } of [...retried, ...inlines])
      expect(verify({ headers, body, secrets: [SECRET] })).toMatchObject({
        ok: true,
      });
    expect(retried[1]?.body.toString()).toBe('{"total":12.5}');
    await waitFor(async () => {
      const rows = await rowsOf(
        clickhouseUrl,
        `SELECT event_id, status, attempts FROM ${database}.delivery_status WHERE event_id != '' ORDER BY event_id`,
      );
      expect(rows).toEqual([
        { event_id: "e_1", status: "delivered", attempts: 2 },
        { event_id: "e_2", status: "delivered", attempts: 1 },
      ]);
      return true;
    });
  } finally {
    await receiver.close();
  }
}

const nameOf = (topic: string): string => topic.slice(prefix.length);

const to = (path: string) => (request: ReceivedRequest) =>
  request.path === path;

/** The place and the expected reason of each garbage record, as `topic/partition/offset reason`. */
async function expectedEnds(
  garbage: readonly ProducerRecord[],
): Promise<string[]> {
  const expected: string[] = [];
  const next = new Map<string, ProducerRecord[]>();
  for (const record of garbage)
    next.set(placeOf(record), [...(next.get(placeOf(record)) ?? []), record]);
  const topics = WORK.map((name) => prefix + name);
  const sound = new Map(WORK.map((name) => [name, soundValueOf(name)]));
  for (const raw of await readTopics(stack.kafka(), topics)) {
    // One producer wrote the garbage, so it is in order; records between it are the services' own.
    const [planted] = next.get(placeOf(raw)) ?? [];
    if (planted === undefined || !isSame(planted, raw)) continue;
    next.get(placeOf(raw))!.shift();
    const name = nameOf(raw.topic);
    const reason = reasonOf(name, planted, sound.get(name)!);
    expected.push(`${placeOf(raw)}/${raw.offset} ${reason}`);
  }
  expect([...next.values()].flat()).toEqual([]);
  return expected.toSorted();
}

function isSame(planted: ProducerRecord, raw: RawRecord): boolean {
  const same = (one: Buffer | null, other: Buffer | null): boolean =>
    one === null || other === null ? one === other : one.equals(other);
  return same(planted.key, raw.key) && same(planted.value, raw.value);
}

async function endsFound(): Promise<string[]> {
  const rows = await rowsOf<{ found: string }>(
    clickhouseUrl,
    `SELECT DISTINCT concat(record_topic, '/', toString(record_partition), '/', toString(record_offset), ' ', reason) AS found
     FROM ${database}.dead_letters WHERE detail != ''`,
  );
  return rows.map(({ found }) => found).toSorted();
}

/** Places in the intake. Garbage on `events`, of every kind, must be there as well as in the dead letters. */
async function intakeFound(): Promise<string[]> {
  const rows = await rowsOf<{ found: string }>(
    clickhouseUrl,
    `SELECT DISTINCT concat(source_topic, '/', toString(source_partition), '/', toString(source_offset)) AS found
     FROM ${database}.events WHERE decision = 'invalid' AND reason != '' AND rule != ''`,
  );
  return rows.map(({ found }) => found).toSorted();
}

/** Waits until as many are found as expected, or the time is over; then compares the two lists. */
async function expectSoon(
  found: () => Promise<string[]>,
  expected: readonly string[],
): Promise<void> {
  await waitFor(async () => (await found()).length >= expected.length, {
    timeoutMs: PATIENCE_MS,
  }).catch(() => undefined);
  expect(await found()).toEqual(expected);
}

/** Groups with a partition that is not committed to its end. */
async function lagging(): Promise<string[]> {
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    const found: string[] = [];
    for (const group of groupsOf(tiers)) {
      const topics = group.topics.map((name) => prefix + name);
      const ends = await admin.fetchLogRanges(topics);
      const groupId = groupIdOf(prefix, group.name);
      const committed = await admin.fetchCommitted(groupId, topics);
      const at = new Map(committed.map((one) => [placeOf(one), one.offset]));
      for (const range of ends)
        if (at.get(placeOf(range)) !== range.end)
          found.push(
            `${group.name} ${placeOf(range)}: ${at.get(placeOf(range))} of ${range.end}`,
          );
    }
    return found;
  } finally {
    await admin.disconnect();
  }
}

const placeOf = ({ topic, partition }: Pick<LogRange, "topic" | "partition">) =>
  `${topic}/${partition}`;

/** For each service, how many records of a compacted topic its table has skipped as unreadable, by its metrics. */
async function leftOut(name: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const service of running!.services) {
    const count = await metric(
      service.adminUrl,
      `postrider_table_unreadable_total{topic="${prefix}${name}"}`,
    );
    if (count !== null) counts[service.name] = count;
  }
  return counts;
}

/** The number of unreadable records. A null value is not one of them: it removes its key from the table. */
function unreadableIn(
  garbage: readonly (readonly ProducerRecord[])[],
  name: string,
): number {
  return garbage
    .flat()
    .filter(({ topic, value }) => topic === prefix + name && value !== null)
    .length;
}

async function entriesOf(service: string): Promise<number | null> {
  const { adminUrl } = running!.services.find(({ name }) => name === service)!;
  return await metric(
    adminUrl,
    `postrider_table_entries{topic="${prefix}endpoints"}`,
  );
}

async function metric(adminUrl: string, name: string): Promise<number | null> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = text
    .split("\n")
    .find((each) => each.startsWith(name.slice(0, -1)));
  return line === undefined ? null : Number(line.split(" ").at(-1));
}

async function call(url: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function write(records: readonly ProducerRecord[]): Promise<void> {
  const producer = await stack.kafka().createProducer();
  try {
    for (let i = 0; i < records.length; i += 300)
      await producer.sendBatch(records.slice(i, i + 300));
  } finally {
    await producer.disconnect();
  }
}

function soundValueOf(name: string): Buffer {
  const codec = createAvroCodec({
    schemas: readSchemaFiles(),
    writers: {
      byFingerprint: () => ({ kind: "unknown" }),
      byId: () => ({ kind: "unknown" }),
    },
  });
  const records: Readonly<Record<string, Pick<OutRecord, "topic" | "value">>> =
    {
      events: { topic: "events", value: anEvent() },
      attempts: { topic: "attempts", value: anAttempt() },
      intake: { topic: "intake", value: anIntake() },
      signals: { topic: "signals", value: aSignal() },
      audit: { topic: "audit", value: anAuditEntry() },
      "dead-letters": { topic: "dead-letters", value: aDeadLetter() },
      endpoints: { topic: "endpoints", value: anEndpoint() },
    };
  const record = records[name] ?? { topic: "deliveries", value: aDelivery() };
  // Each topic has a value of its type above; TypeScript cannot see that from the union.
  return codec.encode({ ...record, key: null } as OutRecord);
}
