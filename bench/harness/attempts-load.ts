/** Records of `attempts` as the dispatcher writes them of the sink's answers, and the table that they fill. */
import { deliveryIdOf, webhookIdOf, type Attempt } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import { sha256Text } from "@postrider/runtime";
import { anAttempt, rowsOf } from "@postrider/testkit";
import { BODY_BYTES, ENDPOINTS, preload } from "./load.ts";
import type { Topics } from "./stack.ts";

/** As many as a busy stack makes, so that the records' times are spread over minutes and not over a day. */
const PER_SECOND = 5_000;

/** Writes `count` attempts, each of a delivery of its own; the endpoints take turns. */
export async function preloadAttempts(
  topics: Topics,
  count: number,
): Promise<void> {
  const firstAt = Date.now() - (count / PER_SECOND) * 1000;
  await preload(topics, count, (i) => {
    const value = attemptOf(i, Math.floor(firstAt + (i * 1000) / PER_SECOND));
    return { topic: "attempts", key: value.endpointId, value };
  });
}

function attemptOf(i: number, startedAt: number): Attempt {
  const n = i % ENDPOINTS;
  const key = {
    tenantId: `tenant${n}`,
    eventId: `evt_attempt_${i}`,
    endpointId: `ep_bench${String(n).padStart(19, "0")}`,
  };
  return anAttempt({
    ...key,
    deliveryId: deliveryIdOf(sha256Text, { ...key, replayId: null }),
    webhookId: webhookIdOf(sha256Text, key),
    receivedAt: startedAt - 12,
    startedAt,
    queueMs: 4,
    durationMs: 1 + (i % 7),
    ttfbMs: 1,
    connectMs: 0,
    isReused: true,
    requestBytes: BODY_BYTES,
    responseHeaders: { "content-length": "2" },
    worker: "dispatcher-1",
    sourceTopic: "bench.events",
    sourcePartition: i % 4,
    sourceOffset: Math.floor(i / 4),
  });
}

/** A hash of all values of every tenth row, whatever their order: tables that hold the same rows have the same. Throws unless there is one row for each of `count` records. */
export async function checkedAttemptRows(
  { clickhouse }: Pick<Stack, "clickhouse">,
  database: string,
  count: number,
): Promise<string> {
  const attempts = `${database}.attempts`;
  const [row] = await rowsOf<{ all: string; places: string; hash: string }>(
    clickhouse.url,
    `SELECT count() AS all, uniqExact(log_partition, log_offset) AS places,
      (SELECT toString(sum(cityHash64(toString(tuple(*))))) FROM ${attempts} WHERE log_offset % 10 = 0) AS hash
    FROM ${attempts}`,
  );
  if (Number(row?.all) !== count || Number(row?.places) !== count)
    throw new Error(
      `${attempts} has ${row?.all} rows of ${row?.places} records; expected ${count}`,
    );
  // A hash of nothing would equal any other one.
  if (!(Number(row?.hash) > 0)) throw new Error(`${attempts}: no hash`);
  return row!.hash;
}
