import type { TopicPartition } from "./ports.ts";

/** A value for each of some partitions. `get` and `set` are called for every record, so they make no key of topic and number. */
export class ByPartition<T> {
  /** By topic, then number. */
  readonly #topics = new Map<string, (T | undefined)[]>();

  get({ topic, partition }: TopicPartition): T | undefined {
    return this.#topics.get(topic)?.[partition];
  }

  set({ topic, partition }: TopicPartition, value: T): void {
    let values = this.#topics.get(topic);
    if (values === undefined) this.#topics.set(topic, (values = []));
    values[partition] = value;
  }

  delete({ topic, partition }: TopicPartition): void {
    delete this.#topics.get(topic)?.[partition];
  }

  *values(): Generator<T> {
    for (const values of this.#topics.values())
      for (const value of values) if (value !== undefined) yield value;
  }
}
