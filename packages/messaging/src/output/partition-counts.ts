/**
 * How many partitions each topic has. Invariant: a count that is known stays known, even while the broker is away.
 *
 * Records wait only for the count of a topic that is not known yet. Known topics are counted again in the background, because
 * partitions may be added. A higher count is taken over at once. A lower count is ignored, because Kafka never removes partitions
 * of a topic. If a topic was deleted and made anew, a send fails with `TopicMissingError`, and its count is then forgotten.
 */
import { within, type Log } from "@postrider/runtime";
import { connectedAdmin } from "../asked-admin.ts";
import { TopicMissingError, type Admin } from "../ports.ts";

/** The part of an admin client that is needed here. */
export type PartitionAdmin = Pick<
  Admin,
  "connect" | "disconnect" | "partitionCounts"
>;

const COUNT_AGAIN_EVERY_MS = 5 * 60_000;
const DISCONNECTED_WITHIN_MS = 100;

export class PartitionCounts {
  readonly #makeAdmin: () => PartitionAdmin;
  readonly #log: Log;
  readonly #everyMs: number;
  readonly #counts = new Map<string, number>();
  /** Connects at the first question, and again after a failure. Null: not connected. */
  #admin: Promise<PartitionAdmin> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: {
    readonly admin: () => PartitionAdmin;
    readonly log: Log;
    /** From one count to the next in the background. Default 5 minutes. */
    readonly everyMs?: number;
  }) {
    this.#makeAdmin = options.admin;
    this.#log = options.log;
    this.#everyMs = options.everyMs ?? COUNT_AGAIN_EVERY_MS;
  }

  /** The topic's count. Call `learn` first; the count of an unknown topic is 1. */
  count(topic: string): number {
    return this.#counts.get(topic) ?? 1;
  }

  /** Learns the counts of topics that are not known; if all are known, Kafka is not asked. Rejects with `TopicMissingError` if one of them does not exist, and with another error if Kafka does not answer. */
  async learn(topics: ReadonlySet<string>): Promise<void> {
    const asked = [...topics].filter((topic) => !this.#counts.has(topic));
    if (asked.length === 0) return;
    const known = await this.known(asked);
    const missing = asked.find((topic) => !known.includes(topic));
    if (missing !== undefined)
      throw new TopicMissingError(
        `topic ${missing} does not exist, or this user may not describe it`,
      );
  }

  /** Learns the counts of those topics that exist, and returns their names. Unlike `learn`, topics that do not exist are no error. */
  async known(topics: readonly string[]): Promise<string[]> {
    const counts = await this.#ask(topics);
    for (const [topic, count] of counts) this.#counts.set(topic, count);
    this.#countAgainLater();
    return [...counts.keys()];
  }

  /** Forgets the counts: one of these topics was deleted, and may come back with another number of partitions. */
  forget(topics: Iterable<string>): void {
    for (const topic of topics) this.#counts.delete(topic);
  }

  /** Ends all counting. An admin client that is still connecting is disconnected once it has connected; `close` does not wait for that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await within(this.#discard(), DISCONNECTED_WITHIN_MS);
  }

  /** The counts of those topics that exist. Rejects while the broker is away. */
  async #ask(topics: readonly string[]): Promise<Map<string, number>> {
    if (this.#isClosed) throw new Error("the output was stopped");
    this.#admin ??= connectedAdmin(this.#makeAdmin());
    try {
      return await (await this.#admin).partitionCounts(topics);
    } catch (error) {
      await this.#discard();
      throw error;
    }
  }

  async #discard(): Promise<void> {
    const discarded = this.#admin;
    this.#admin = null;
    await discarded?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  #countAgainLater(): void {
    if (this.#isClosed || this.#timer !== null) return;
    this.#timer = setTimeout(() => void this.#countAgain(), this.#everyMs);
  }

  /** Never rejects. */
  async #countAgain(): Promise<void> {
    const asked = [...this.#counts.keys()];
    try {
      for (const [topic, count] of await this.#ask(asked)) {
        const before = this.#counts.get(topic);
        // A topic that was forgotten meanwhile is counted by `learn`.
        if (before === undefined || count <= before) continue;
        this.#counts.set(topic, count);
        this.#log.info("output.partitionsAdded", { topic, before, count });
      }
    } catch (error) {
      if (!this.#isClosed)
        this.#log.warn("output.notCountedAgain", { error: String(error) });
    }
    this.#timer = null;
    this.#countAgainLater();
  }
}
