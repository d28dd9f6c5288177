/**
 * How many partitions each topic has, as an output needs to know. Invariant: what is known stays known, whatever happens to the
 * broker. Only a topic that is not known yet is asked for while records wait; the others are counted again in the background,
 * because partitions may be added. A count that has grown holds from then on; a lower one is not believed, since partitions are
 * never taken away: a topic that was deleted and made anew is met as a `TopicMissingError`, and forgotten.
 */
import { within, type Log } from "@postrider/runtime";
import { TopicMissingError, type Admin } from "../ports.ts";

/** What is needed of an admin client. */
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
  /** Connects at the first question, and again after a failure. */
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

  /** Call `learn` first. */
  count(topic: string): number {
    return this.#counts.get(topic) ?? 1;
  }

  /** Rejects with `TopicMissingError` where one of the topics does not exist, with anything else where nobody answers. Asks nobody when all are known. */
  async learn(topics: ReadonlySet<string>): Promise<void> {
    const asked = [...topics].filter((topic) => !this.#counts.has(topic));
    if (asked.length === 0) return;
    const known = await this.known(asked);
    const missing = asked.find((topic) => !known.includes(topic));
    if (missing !== undefined)
      throw new TopicMissingError(`topic ${missing} does not exist`);
  }

  /** Learns what there is of these topics, and gives their names; those that do not exist are for `learn` to refuse. */
  async known(topics: readonly string[]): Promise<string[]> {
    const counts = await this.#ask(topics);
    for (const [topic, count] of counts) this.#counts.set(topic, count);
    this.#countAgainLater();
    return [...counts.keys()];
  }

  /** One of them went away, and may come back with other partitions. */
  forget(topics: Iterable<string>): void {
    for (const topic of topics) this.#counts.delete(topic);
  }

  /** Nothing is counted after this. An admin client that is still connecting is disconnected when it has; nobody waits for that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await within(this.#discard(), DISCONNECTED_WITHIN_MS);
  }

  /** Of these topics those that exist. Rejects while the broker is away. */
  async #ask(topics: readonly string[]): Promise<Map<string, number>> {
    if (this.#isClosed) throw new Error("the output was stopped");
    this.#admin ??= connected(this.#makeAdmin());
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
        // One that was forgotten meanwhile is for `learn`.
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

async function connected(admin: PartitionAdmin): Promise<PartitionAdmin> {
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw error;
  }
}
