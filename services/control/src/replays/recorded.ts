/**
 * Waits until ClickHouse shows everything that was sent to `deliveries` so far. A delivery that deliver has taken has left a record in
 * `attempts` or `dead-letters` by the time its offset is committed: an attempt, its first deferral, or a dead letter. So once the dispatchers
 * have passed what `deliveries` holds now, and the recorder what those two topics hold then, each delivery has a row.
 */
import type { CommittedOffset, LogRange } from "@postrider/messaging";
import { sleep } from "@postrider/runtime";

export interface Offsets {
  ranges(topic: WatchedTopic): Promise<readonly LogRange[]>;
  /** What the topic's readers have committed: of `deliveries` the dispatchers, of the others the recorder. */
  committed(topic: WatchedTopic): Promise<readonly CommittedOffset[]>;
}

export type WatchedTopic = "deliveries" | "attempts" | "dead-letters";

const LOOK_EVERY_MS = 500;
/** It is told at the first look and at each so many later: whoever is told writes it to Kafka. */
const TOLD_EVERY = 10;

export async function untilRecorded(options: {
  readonly offsets: Offsets;
  /** Told now and then what it waits for. */
  readonly waits: (what: string) => Promise<void>;
  readonly signal: AbortSignal;
  readonly lookEveryMs?: number | undefined;
}): Promise<void> {
  const { offsets, waits } = options;

  async function untilPassed(
    topic: WatchedTopic,
    textOf: (count: number) => string,
  ): Promise<void> {
    const ranges = await offsets.ranges(topic);
    for (let looks = 0; ; looks += 1) {
      const rest = restOf(ranges, await offsets.committed(topic));
      if (rest === 0) return;
      if (looks % TOLD_EVERY === 0) await waits(textOf(rest));
      await sleep(options.lookEveryMs ?? LOOK_EVERY_MS, {
        signal: options.signal,
      });
      options.signal.throwIfAborted();
    }
  }

  await untilPassed(
    "deliveries",
    (count) => `the dispatchers are ${count} records of deliveries behind`,
  );
  for (const topic of ["attempts", "dead-letters"] as const)
    await untilPassed(
      topic,
      (count) => `the recorder is ${count} records of ${topic} behind`,
    );
}

/** How many records of the ranges are not done yet. Where nothing was committed, reading begins at the log's start. */
function restOf(
  ranges: readonly LogRange[],
  committed: readonly CommittedOffset[],
): number {
  return ranges.reduce((sum, { partition, start, end }) => {
    const own = committed.find((each) => each.partition === partition);
    return sum + Math.max(0, end - Math.max(start, own?.offset ?? start));
  }, 0);
}
