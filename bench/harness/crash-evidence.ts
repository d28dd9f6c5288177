/** Reads what a run with kills left behind, for testkit's checker. Payloads are left out, so that a long run fits into memory. */
import { createHmac } from "node:crypto";
import type { Attempt, Intake } from "@postrider/core";
import {
  bodyHash,
  readEntries,
  rowsOf,
  type DeliveryPlace,
  type Evidence,
  type Interruption,
  type PublishedEntry,
  type ReceivedEntry,
} from "@postrider/testkit";
import type { LoggedRequest } from "../sink/protocol.ts";
import { readDeadLetters } from "./checks.ts";
import { SECRET } from "./load.ts";
import { nowMicros } from "./open-loop.ts";
import { readRecords } from "./read-topic.ts";
import { DATABASE } from "./subject.ts";
import type { Whole } from "./whole.ts";

const NO_BYTES = Buffer.alloc(0);

export interface CrashRun {
  readonly published: readonly PublishedEntry[];
  readonly log: readonly LoggedRequest[];
  /** All event bodies that were published. */
  readonly bodies: readonly Buffer[];
  readonly interruptions: readonly Interruption[];
  readonly ledgerFile: string;
}

export async function crashEvidence(
  { topics, stack }: Whole,
  run: CrashRun,
): Promise<Evidence> {
  const attempts: Attempt[] = [];
  await readRecords(topics, "attempts", (value) => {
    attempts.push({ ...value, responseBody: NO_BYTES });
  });
  const intake: Intake[] = [];
  await readRecords(topics, "intake", (value) => {
    intake.push({ ...value, payload: NO_BYTES });
  });
  const deliveries: DeliveryPlace[] = [];
  await readRecords(topics, "deliveries", (value, raw) => {
    const { topic, partition, offset, timestamp } = raw;
    const { deliveryId, webhookId, step } = value;
    const place = { topic, partition, offset, timestamp };
    deliveries.push({ ...place, deliveryId, webhookId, step });
  });
  const [tables] = await rowsOf<
    Record<"rows" | "places" | "keys" | "up", string>
  >(
    stack.clickhouse.url,
    `SELECT count() AS rows, uniqExact(log_partition, log_offset) AS places,
       uniqExact(delivery_id, step, attempt_number, started_at) AS keys,
       (SELECT sum(attempts) FROM ${DATABASE}.endpoint_hour) AS up
     FROM ${DATABASE}.attempts`,
  );
  const keyOf = (a: Attempt): string =>
    `${a.deliveryId} ${a.step} ${a.attemptNumber} ${a.startedAt}`;
  return {
    published: run.published,
    received: receivedOf(run),
    runner: readEntries(run.ledgerFile, "completed", "committed"),
    interruptions: run.interruptions,
    deliveries,
    attempts,
    deadLetters: await readDeadLetters(topics),
    intake,
    tables: [
      {
        table: "attempts",
        records: attempts.length,
        recordKeys: new Set(attempts.map(keyOf)).size,
        rows: Number(tables?.rows),
        rowKeys: Number(tables?.keys),
        rowPlaces: Number(tables?.places),
      },
    ],
    rolledUp: { endpoint_hour: Number(tables?.up) },
    rollUps: [],
    // The run has already waited until no group lags; otherwise it would have failed.
    lag: 0,
    survivors: [],
  };
}

/** Turns the sink's log into a receiver's ledger. The signatures are checked here, because here all bodies are known. */
function receivedOf({ log, bodies }: CrashRun): ReceivedEntry[] {
  const bodyOf = new Map(bodies.map((body) => [bodyHash(body), body]));
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const epochMinusMonotonic = Date.now() - nowMicros() / 1000;
  return log.map(({ id, timestamp, signature, atMicros, bodyHash: hash }) => {
    const body = bodyOf.get(hash) ?? NO_BYTES;
    const expected = createHmac("sha256", key)
      .update(`${id}.${timestamp}.`)
      .update(body)
      .digest("base64");
    return {
      kind: "received",
      webhookId: id,
      webhookTimestamp: timestamp,
      bodyHash: hash,
      isSigned: signature === `v1,${expected}`,
      at: epochMinusMonotonic + atMicros / 1000,
      monotonicMs: atMicros / 1000,
    };
  });
}
