/** How many partitions each topic has, as an output needs to know: asked once, and again after a while, because some may have been added. */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import { TopicMissingError, type Admin } from "../ports.ts";

const MAX_AGE_MS = 5 * 60_000;

export class OutputPlaces {
  readonly #partitionsOf: PartitionCounts;
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  #countedAt: MonotonicMs;

  constructor(options: {
    readonly partitionsOf: PartitionCounts;
    readonly clock: Clock;
  }) {
    this.#partitionsOf = options.partitionsOf;
    this.#clock = options.clock;
    this.#countedAt = this.#clock.monotonic();
  }

  /** Call `learn` first. */
  count(topic: string): number {
    return this.#counts.get(topic) ?? 1;
  }

  /** Rejects with `TopicMissingError` where one of the topics does not exist, with anything else where nobody answers. */
  async learn(topics: ReadonlySet<string>): Promise<void> {
    const now = this.#clock.monotonic();
    const isOld = now - this.#countedAt > MAX_AGE_MS;
    const asked = [...topics].filter((t) => isOld || !this.#counts.has(t));
    if (asked.length === 0) return;
    const counts = await this.#partitionsOf(asked);
    if (isOld) {
      this.#counts.clear();
      this.#countedAt = now;
    }
    for (const topic of asked) {
      const count = counts.get(topic);
      if (count === undefined)
        throw new TopicMissingError(`topic ${topic} does not exist`);
      this.#counts.set(topic, count);
    }
  }

  /** Learns what there is of these topics, and gives their names; those that do not exist are for `learn` to refuse. */
  async known(topics: readonly string[]): Promise<string[]> {
    const counts = await this.#partitionsOf(topics);
    for (const [topic, count] of counts) this.#counts.set(topic, count);
    return [...counts.keys()];
  }

  /** One of them went away, and may come back with other partitions. */
  forget(topics: Iterable<string>): void {
    for (const topic of topics) this.#counts.delete(topic);
  }
}

/** How many partitions each of these topics has; a topic that does not exist is left out. */
export type PartitionCounts = (
  topics: readonly string[],
) => Promise<ReadonlyMap<string, number>>;

/** Asks through an admin client that connects at the first question and again after a failure. Rejects while the broker is away. */
export function partitionCountsOf(makeAdmin: () => Admin): PartitionCounts & {
  disconnect(): Promise<void>;
} {
  let admin: Promise<Admin> | null = null;
  const connected = async (): Promise<Admin> => {
    const made = makeAdmin();
    try {
      await made.connect();
      return made;
    } catch (error) {
      await made.disconnect().catch(() => undefined);
      throw error;
    }
  };
  const drop = async (): Promise<void> => {
    const dropped = admin;
    admin = null;
    await dropped?.then((made) => made.disconnect()).catch(() => undefined);
  };
  const counts: PartitionCounts = async (topics) => {
    admin ??= connected();
    try {
      return await (await admin).partitionCounts(topics);
    } catch (error) {
      await drop();
      throw error;
    }
  };
  return Object.assign(counts, { disconnect: drop });
}
