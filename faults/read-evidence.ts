/** Reads back what a run left in Kafka and ClickHouse, and tells whether the run is over. */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Attempt,
  DeadLetter,
  Delivery,
  Intake,
  Signal,
} from "@postrider/core";
import {
  createSchemas,
  groupIdOf,
  groupsOf,
  topicName,
  type Admin,
  type Kafka,
  type LogRange,
  type RawRecord,
  type TopicValues,
} from "@postrider/messaging";
import {
  readTopics,
  rowsOf,
  testEffects,
  type DeliveryPlace,
  type Evidence,
  type TableEvidence,
} from "@postrider/testkit";

export interface Lag {
  readonly records: number;
  /** `group topic/partition: lag before end` of each partition that lags. */
  readonly places: readonly string[];
  /** The number of all records that were ever written. */
  readonly written: number;
}

export async function readLag(
  admin: Admin,
  prefix: string,
  tierTopics: readonly string[],
): Promise<Lag> {
  let records = 0;
  let written = 0;
  const places: string[] = [];
  for (const group of groupsOf(tierTopics.map((topic) => ({ topic })))) {
    // What control has still to do about signals is not what a run waits for.
    if (group.service === "control") continue;
    const topics = group.topics.map((name) => topicName(prefix, name));
    const groupId = groupIdOf(prefix, group.name);
    const committed = await admin.fetchCommitted(groupId, topics);
    const ends = await admin.fetchLogRanges(topics);
    const at = new Map(committed.map((one) => [placeOf(one), one.offset]));
    for (const range of ends) {
      written += range.end;
      const lag = range.end - (at.get(placeOf(range)) ?? range.start);
      if (lag === 0) continue;
      records += Math.abs(lag);
      places.push(
        `${group.name} ${placeOf(range)}: ${lag} before ${range.end}`,
      );
    }
  }
  return { records, places, written };
}

const QUIET_EVERY_MS = 150;

/** Waits until two checks in a row find no lag and nothing written in between. Gives up when nothing has changed for `withoutProgressMs`. Returns the last check. One that fails counts as "not yet": a broker or a coordinator may have moved just now. */
export async function waitForQuiet(
  look: () => Promise<Lag>,
  withoutProgressMs: number,
): Promise<Lag> {
  let end = performance.now() + withoutProgressMs;
  let before: Lag | null = null;
  for (;;) {
    let now: Lag;
    try {
      now = await look();
    } catch (error) {
      if (performance.now() >= end) throw error;
      before = null;
      await sleep(QUIET_EVERY_MS);
      continue;
    }
    const isSame =
      before?.written === now.written && before.records === now.records;
    if (now.records === 0 && isSame) return now;
    if (!isSame) end = performance.now() + withoutProgressMs;
    if (performance.now() >= end) return now;
    before = now;
    await sleep(QUIET_EVERY_MS);
  }
}

const placeOf = ({ topic, partition }: Pick<LogRange, "topic" | "partition">) =>
  `${topic}/${partition}`;

export interface LogEvidence extends Pick<
  Evidence,
  "attempts" | "deadLetters" | "intake" | "deliveries"
> {
  readonly signals: readonly Signal[];
  /** For each table: partition@offset of each record of its topic. */
  readonly places: Readonly<Record<keyof typeof TABLES, readonly string[]>>;
}

/** Reads all topics that tell what became of events, by the schemas of the registry, too, if there is one. A record that fits no schema was not written by the services and is left out. */
export async function readLog(
  kafka: Kafka,
  prefix: string,
  schemaRegistryUrl: string | null = null,
): Promise<LogEvidence> {
  const registry = { schemaRegistryUrl };
  const schemas = createSchemas({ ...testEffects(), kafka, prefix, registry });
  await schemas.start();
  try {
    const names = [
      "attempts",
      "dead-letters",
      "intake",
      "signals",
      "audit",
      "deliveries",
    ] as const;
    const records = await readTopics(
      kafka,
      names.map((name) => topicName(prefix, name)),
    );
    const byTopic = Map.groupBy(records, ({ topic }) => topic);
    const read = <T extends keyof TopicValues>(name: T) => {
      const decode = schemas.decoderOf(name);
      const found: { raw: RawRecord; value: TopicValues[T] }[] = [];
      for (const raw of byTopic.get(topicName(prefix, name)) ?? []) {
        const decoded = decode(raw);
        if (decoded.kind === "decoded")
          found.push({ raw, value: decoded.value });
      }
      return found;
    };
    const values = <T extends keyof TopicValues>(name: T) =>
      read(name).map(({ value }) => value);
    const places = <T extends keyof TopicValues>(name: T) =>
      read(name).map(({ raw }) => `${raw.partition}@${raw.offset}`);
    return {
      places: {
        attempts: places("attempts"),
        events: places("intake"),
        dead_letters: places("dead-letters"),
        signals: places("signals"),
        audit: places("audit"),
      },
      attempts: values("attempts"),
      deadLetters: values("dead-letters"),
      intake: values("intake"),
      signals: values("signals"),
      deliveries: read("deliveries").map(placed),
    };
  } finally {
    await schemas.stop(Date.now() + 5_000);
  }
}

function placed({
  raw,
  value,
}: {
  readonly raw: RawRecord;
  readonly value: Delivery;
}): DeliveryPlace {
  const { topic, partition, offset, timestamp } = raw;
  const { deliveryId, webhookId, step } = value;
  return { topic, partition, offset, timestamp, deliveryId, webhookId, step };
}

const MISSING_SHOWN = 50;

/** The tables that are filled from topics, with the columns of their keys. */
const TABLES = {
  attempts:
    "tenant_id, endpoint_id, started_at, delivery_id, attempt_number, step",
  events:
    "tenant_id, event_id, source_topic, source_partition, source_offset, part",
  dead_letters:
    "tenant_id, endpoint_id, dead_at, delivery_id, reason, record_topic, record_partition, record_offset",
  signals: "tenant_id, endpoint_id, at, kind, delivery_id",
  // The place is a part of the key.
  audit: "log_partition, log_offset",
} as const;

export async function readTables(
  url: string,
  database: string,
  log: LogEvidence,
): Promise<Pick<Evidence, "tables" | "rolledUp">> {
  const recordKeys = {
    attempts: log.attempts.map((one: Attempt) => [
      one.endpointId,
      one.startedAt,
      one.deliveryId,
      one.attemptNumber,
      one.step,
    ]),
    events: log.intake.map((one: Intake) => [
      one.eventId,
      one.sourceTopic,
      one.sourcePartition,
      one.sourceOffset,
      one.part,
    ]),
    dead_letters: log.deadLetters.map((one: DeadLetter) => [
      one.endpointId,
      one.deadAt,
      one.deliveryId,
      one.reason,
      one.recordTopic,
      one.recordPartition,
      one.recordOffset,
    ]),
    signals: log.signals.map((one: Signal) => [
      one.endpointId,
      one.at,
      one.kind,
      one.deliveryId,
    ]),
    audit: log.places.audit,
  };
  const tables: TableEvidence[] = [];
  for (const table of [
    "attempts",
    "events",
    "dead_letters",
    "signals",
    "audit",
  ] as const) {
    const [row] = await rowsOf<Record<string, string>>(
      url,
      `SELECT toString(count()) AS rows, toString(uniqExact(log_partition, log_offset)) AS places,
         toString(uniqExact(${TABLES[table]})) AS keys FROM ${database}.${table}`,
    );
    const keys = recordKeys[table];
    const there = await rowsOf<{ place: string }>(
      url,
      `SELECT concat(toString(log_partition), '@', toString(log_offset)) AS place FROM ${database}.${table}`,
    );
    const found = new Set(there.map(({ place }) => place));
    tables.push({
      table,
      records: keys.length,
      recordKeys: new Set(keys.map((key) => JSON.stringify(key))).size,
      rows: Number(row?.["rows"]),
      rowKeys: Number(row?.["keys"]),
      rowPlaces: Number(row?.["places"]),
      missing: log.places[table]
        .filter((place) => !found.has(place))
        .slice(0, MISSING_SHOWN),
    });
  }
  const rolledUp: Record<string, number> = {};
  for (const table of ["endpoint_hour", "tenant_minute"]) {
    const [row] = await rowsOf<{ n: string }>(
      url,
      `SELECT toString(sum(attempts)) AS n FROM ${database}.${table}`,
    );
    rolledUp[table] = Number(row?.n);
  }
  return { tables, rolledUp };
}
