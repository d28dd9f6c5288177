/**
 * hold: keeps a record for its tier's delay, then passes it on untouched.
 *
 * A tier is a FIFO: a record's hop is due exactly the tier's delay after the broker appended the record. So the head of a
 * partition is always the next due record, and a bounded buffer never hides one. What then remains of the wait (until
 * `nextAttemptAt`) is spent in further hops, or in memory when it is a second or less. No wait ends early by this process's
 * clock. The broker's timestamp affects one hop only and is clamped to that hop's delay: a skewed or garbage timestamp
 * cannot cost more than the tier's own delay.
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
  /** In ascending order of delay. */
  readonly tiers: readonly Tier[];
  /** The tier whose topic has this full name. */
  readonly tierOf: (topic: string) => Tier;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** The hold stage; `held` is the number of records in memory. */
export interface HoldStage extends Stage<Delivery> {
  handle(record: InRecord<Delivery>, signal: AbortSignal): Promise<Verdict>;
  held(): number;
  /** Releases what is due now; the timer calls it, too. */
  turn(): void;
  /** For a stop: gives up all held records at once. They are not done; the partition's next owner holds them again. */
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
        // The partition moved; its new owner holds the record.
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

/** True if the delivery would expire during its hop, although its wait ends in time. Such a hop is skipped. */
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

/** Waits in memory for the last piece, at most a second. Waits that end in the same tick share a queue, so that due times never decrease within a queue. */
function restInMemory(
  queues: DueQueues,
  dueAt: MonotonicMs,
  signal: AbortSignal,
): Promise<boolean> {
  const tick = Math.ceil(dueAt / REST_TICK_MS);
  return queues.wait(`rest ${tick}`, tick * REST_TICK_MS, signal);
}

/** Keeps bytes, key and headers unchanged: the next reader gets what deliver wrote. */
function passedOn({ raw }: InRecord<Delivery>, hop: Tier | null): OutRecord {
  return {
    topic: hop?.topic ?? "deliveries",
    key: raw.key,
    value: raw.value ?? Buffer.alloc(0),
    headers: raw.headers,
  };
}
