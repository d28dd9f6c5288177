/**
 * Which (deliveryId, step) of a partition were taken, so that a repeated record does not fork into a second retry chain.
 *
 * Invariant: a record is a repeat only of a record with a *lower* offset of its partition. So a record that is handled
 * again (after a crash, or by a retry of the runner) is never taken for a repeat of itself, nor of a later twin that was
 * dropped because of it. Per partition the last `capacity` records at least, and twice as many at most, are known.
 */

export interface TakenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface Generations {
  current: Map<string, number>;
  previous: Map<string, number>;
}

export class TakenSteps {
  readonly #capacity: number;
  /** By topic, then partition. */
  readonly #topics = new Map<string, Generations[]>();

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  /** Notes the record; false when one with a lower offset has taken this step before. */
  take(record: TakenRecord, deliveryId: string, step: number): boolean {
    const generations = this.#generationsOf(record);
    // Ids hold no `.`; most deliveries are taken at step 0 only, and need no text of their own.
    const key = step === 0 ? deliveryId : `${deliveryId}.${step}`;
    const takenBy =
      generations.current.get(key) ?? generations.previous.get(key);
    if (takenBy !== undefined && takenBy < record.offset) return false;
    if (takenBy === record.offset) return true;
    generations.current.set(key, record.offset);
    if (generations.current.size >= this.#capacity) {
      generations.previous = generations.current;
      generations.current = new Map();
    }
    return true;
  }

  /** The partition was taken away. */
  forget({ topic, partition }: { topic: string; partition: number }): void {
    delete this.#topics.get(topic)?.[partition];
  }

  #generationsOf({ topic, partition }: TakenRecord): Generations {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, (partitions = []));
    return (partitions[partition] ??= {
      current: new Map(),
      previous: new Map(),
    });
  }
}
