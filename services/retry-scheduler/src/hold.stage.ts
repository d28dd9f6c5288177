/**
 * hold: keeps a record for its tier's delay, then passes it on untouched.
 *
 * A tier is a FIFO: a record's hop is due exactly the tier's delay after the broker appended it, so the head of a partition
 * is always the next due, and a bounded buffer never hides a due record. What then remains of the wait (`nextAttemptAt`)
 * is made of further hops, or of up to a second in memory. Never early by this process's clock. The broker's time decides
 * about one hop only, and is clamped to it: a skewed or garbage timestamp cannot cost more than the tier's own delay.
 */
import {
  nextHop,
  type Delivery,
  type EpochMs,
  type MonotonicMs,
  type Tier,
} from "@postrider/core";
import type { InRecord, OutRecord, Stage, Verdict } from "@postrider/messaging";
import type { Clock, Meter } from "@postrider/runtime";
import { BrokerClock } from "./broker-clock.ts";
import { DueQueues } from "./due-queues.ts";

export interface HoldOptions {
  /** Ascending. */
  readonly tiers: readonly Tier[];
  /** The tier of a topic's full name. */
  readonly tierOf: (topic: string) => Tier;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** The hold stage, and how many records it holds now. */
export interface HoldStage extends Stage<Delivery> {
  handle(record: InRecord<Delivery>, signal: AbortSignal): Promise<Verdict>;
  held(): number;
  /** Releases what is due now; the timer does so by itself. */
  turn(): void;
  /** At a stop: what is held is given up, not done, at once. Whoever owns it next holds it again. */
  giveBack(): void;
}

const REST_TICK_MS = 10;
const LATENESS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300,
];

export function createHoldStage(options: HoldOptions): HoldStage {
  const { tiers, tierOf, clock, meter } = options;
  const queues = new DueQueues(clock);
  const brokerClock = new BrokerClock(clock, meter);
  const lateness = meter.histogram(
    "postrider_hold_lateness_seconds",
    "From the end of a delivery's wait to its release to deliveries.",
    LATENESS_SECONDS,
  );
  const releases = meter.counter(
    "postrider_hold_releases_total",
    "Records passed on, by the tier they leave and where they go.",
    ["tier", "to"],
  );

  return {
    laneOf: ({ raw }) => `${raw.topic}:${raw.partition}`,
    laneConcurrency: () => Infinity,
    forget: ({ topic, partition }) => queues.drop(`${topic}:${partition}`),
    held: () => queues.size,
    turn: () => queues.turn(),
    giveBack: () => queues.giveBack(),

    async handle(record, signal): Promise<Verdict> {
      const { raw, value } = record;
      const tier = tierOf(raw.topic);
      const elapsedMs = brokerClock.sinceAppend(raw.timestamp, tier.delayMs);
      const dueAt = clock.monotonic() + tier.delayMs - elapsedMs;
      const hopEndsAt = clock.now() + tier.delayMs - elapsedMs;
      const isShortest = tier.delayMs === tiers[0]?.delayMs;
      if (!(isShortest && expiresFirst(value, hopEndsAt))) {
        const isOurs = await queues.wait(
          `${raw.topic}:${raw.partition}`,
          dueAt,
          signal,
        );
        // The partition moved: whoever owns it now holds the record.
        if (!isOurs) return { kind: "emit", records: [] };
      }
      for (;;) {
        const restMs = (value.nextAttemptAt ?? 0) - clock.now();
        const hop = nextHop(tiers, restMs);
        if (hop !== null || restMs <= 0) {
          releases.inc({ tier: tier.name, to: hop?.name ?? "deliveries" });
          if (hop === null && value.nextAttemptAt !== null)
            lateness.observe(-restMs / 1_000);
          return { kind: "emit", records: [passedOn(record, hop)] };
        }
        await restInMemory(queues, clock.monotonic() + restMs, signal);
      }
    },
  };
}

/** It would expire before its hop is over, though its wait is over in time. */
function expiresFirst(
  { nextAttemptAt, expiresAt }: Delivery,
  hopEndsAt: EpochMs,
): boolean {
  return (
    expiresAt !== null &&
    expiresAt < hopEndsAt &&
    (nextAttemptAt ?? 0) <= expiresAt
  );
}

/** The last piece, at most a second. Rests that end in one tick share a queue, so that every queue stays a FIFO. */
function restInMemory(
  queues: DueQueues,
  dueAt: MonotonicMs,
  signal: AbortSignal,
): Promise<boolean> {
  const tick = Math.ceil(dueAt / REST_TICK_MS);
  return queues.wait(`rest ${tick}`, tick * REST_TICK_MS, signal);
}

/** The same bytes, key and headers: whoever reads them next sees what deliver wrote. */
function passedOn({ raw }: InRecord<Delivery>, hop: Tier | null): OutRecord {
  return {
    topic: hop?.topic ?? "deliveries",
    key: raw.key,
    value: raw.value ?? Buffer.alloc(0),
    headers: raw.headers,
  };
}
