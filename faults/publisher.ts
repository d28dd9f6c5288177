/** An open-loop publisher: an event is due at a fixed time, whether or not earlier ones are acknowledged, and waits in a queue until it can be sent. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  partitionOf,
  topicName,
  type Kafka,
  type Producer,
  type ProducerRecord,
} from "@postrider/messaging";
import { bodyHash, type Ledger, type Random } from "@postrider/testkit";
import { GONE, TENANT, type Behaviour } from "./endpoints.ts";

export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
  /** The time before which no attempt may start, epoch ms. */
  readonly notBefore?: number;
  /** All events are for this endpoint. */
  readonly only?: Behaviour;
  /** Each event is published once more, so many events later. Default: it is not. */
  readonly againAfter?: number;
  /** At most so many events for each of these endpoints; the others share the rest. */
  readonly rare?: Readonly<Partial<Record<Behaviour, number>>>;
  /** An event as the value of its record. Default: the JSON envelope. */
  readonly valueFor?: (event: PublishedEvent) => Buffer;
}

export interface PublishedEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: Buffer;
}

export interface Publisher {
  /** Resolves when all of the load is acknowledged. Several loads may run at the same time. */
  publish(load: Load): Promise<void>;
  /** How many events are acknowledged so far. */
  count(): number;
  close(): Promise<void>;
}

interface Event {
  readonly id: string;
  readonly hash: string;
  readonly record: ProducerRecord;
  /** It was published before. */
  readonly isRepeat: boolean;
}

const TICK_MS = 20;
const BATCH_RECORDS = 500;
/** So few for the black hole that its time-outs do not open its breaker, which would lengthen every case by seconds. */
const RARE = { dead: 12, blackhole: 2 };
/** A load's `rare` that makes signals: one for each endpoint of GONE, at random moments. */
export const SIGNALS = Object.fromEntries(GONE.map((one) => [one, 1]));

export function createPublisher(options: {
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly partitions: number;
  readonly ledger: Ledger;
  readonly random: Random;
}): Publisher {
  const { kafka, prefix, partitions, ledger, random } = options;
  const pending: Event[] = [];
  let producer: Producer | null = null;
  let made = 0;
  let acknowledged = 0;
  let sending: Promise<void> | null = null;
  let isClosed = false;

  const eventFor = (
    behaviour: Behaviour,
    { notBefore, valueFor }: Pick<Load, "notBefore" | "valueFor">,
  ): Event => {
    const id = `e_${made++}`;
    const text = "x".repeat(random.between(20, 600));
    const payload = `{"n":${made},"big":12345678901234567890,"text":"${text}"}`;
    const key = Buffer.from(`${TENANT}:${id}`);
    const type = `load.${behaviour}`;
    const envelope = `{"id":"${id}","type":"${type}","tenantId":"${TENANT}"${notBefore === undefined ? "" : `,"notBefore":${notBefore}`},"payload":${payload}}`;
    return {
      id,
      isRepeat: false,
      hash: bodyHash(Buffer.from(payload)),
      record: {
        topic: topicName(prefix, "events"),
        partition: partitionOf(key, partitions),
        key,
        value:
          valueFor?.({ id, type, payload: Buffer.from(payload) }) ??
          Buffer.from(envelope),
      },
    };
  };

  /** Sends until nothing is pending. A batch whose outcome is unknown is sent again: route recognises its events as duplicates. */
  const drain = async (): Promise<void> => {
    while (pending.length > 0 && !isClosed) {
      const batch = pending.slice(0, BATCH_RECORDS);
      try {
        producer ??= await kafka.createProducer();
        await producer.sendBatch(batch.map(({ record }) => record));
      } catch {
        await producer?.disconnect().catch(() => undefined);
        producer = null;
        await sleep(100);
        continue;
      }
      pending.splice(0, batch.length);
      acknowledged += batch.length;
      for (const { id, hash, isRepeat } of batch)
        if (!isRepeat)
          ledger.write({
            kind: "published",
            tenantId: TENANT,
            eventId: id,
            bodyHash: hash,
          });
    }
  };
  const flush = (): Promise<void> =>
    (sending ??= drain().finally(() => (sending = null)));

  return {
    count: () => acknowledged,
    async publish(load) {
      const total = Math.round(load.perSecond * load.seconds);
      const { only, againAfter = Infinity } = load;
      const behaviours =
        only === undefined
          ? planned(total, { ...RARE, ...load.rare }, random)
          : Array.from({ length: total }, () => only);
      const first: Event[] = [];
      const again = (i: number): void => {
        const event = first[i];
        if (event !== undefined) pending.push({ ...event, isRepeat: true });
      };
      const startedAt = performance.now();
      for (let sent = 0; sent < total;) {
        const elapsed = (performance.now() - startedAt) / 1000;
        const due = Math.min(total, Math.ceil(elapsed * load.perSecond));
        for (; sent < due; sent++) {
          const event = eventFor(behaviours[sent]!, load);
          pending.push(event);
          if (againAfter === Infinity) continue;
          first.push(event);
          again(sent - againAfter);
        }
        void flush();
        await sleep(TICK_MS);
      }
      for (let i = Math.max(0, total - againAfter); i < total; i++) again(i);
      while (pending.length > 0 && !isClosed) await flush();
    },
    async close() {
      isClosed = true; // a failed case may have left a load that is still being sent
      await sending;
      await producer?.disconnect();
    },
  };
}

/** Which event goes to which endpoint. A seventh go to flaky ones, the rest to healthy ones; the events of each rare endpoint are spread, one at random in each equal share of the load. */
function planned(
  total: number,
  rare: Readonly<Record<string, number>>,
  random: Random,
): Behaviour[] {
  const plan = Array.from({ length: total }, (): Behaviour =>
    random.next() < 1 / 7
      ? "flaky"
      : random.pick(["healthy0", "healthy1", "healthy2", "healthy3"]),
  );
  const taken = new Set<number>();
  for (const [behaviour, wanted] of Object.entries(rare)) {
    const count = Math.floor(Math.min(wanted, total / 10));
    for (let i = 0; i < count; i++) {
      const share = (at: number): number => Math.floor((at * total) / count);
      let place = random.between(share(i), share(i + 1) - 1);
      // Another rare one must not lose its only event.
      while (taken.has(place) && taken.size < total)
        place = (place + 1) % total;
      taken.add(place);
      plan[place] = behaviour as Behaviour; // the keys of `rare` are behaviours
    }
  }
  return plan;
}
