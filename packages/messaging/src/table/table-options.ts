/** The interface and the options of a table. */
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import type { Consumer, ConsumerOptions } from "../ports.ts";
import type { Decoder } from "../stage.ts";

/** The current contents of a compacted topic. Values are shared: treat them as read-only. */
export interface Table<T> extends Lifecycle {
  get(key: string): T | undefined;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
  /** Calls `listener` after each change, also while the table is read for the first time; with `undefined` if the key was removed. Returns a function that removes the listener. */
  onChange(listener: TableListener<T>): () => void;
  /** Resolves once the table has read past this place. Whether it could take the record there, `get` shows. Rejects when the table is stopped. */
  readTo(place: {
    readonly partition: number;
    readonly offset: number;
  }): Promise<void>;
  /** Resolves once the table has read everything that the topic holds at this call. Rejects when the table is stopped. */
  readToEnd(): Promise<void>;
  /**
   * Why the table may lack records of its topic, as a sentence; null if it is known to have been current within the last five
   * seconds. It may lack records while a leader is away, while it has a hole, and while records wait for their schema. Before a
   * final decision because the table does not have a key, wait until this is null.
   */
  behind(): string | null;
  /** How old its entries may be, ms: how long ago it was last known to hold all of its topic. `Infinity` before it was read to its end. */
  ageMs(): number;
  health(): { readonly ready: TableCheck[]; readonly live: TableCheck[] };
}
export type TableListener<T> = (key: string, value: T | undefined) => void;
export interface TableCheck {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

export interface TableOptions<T> {
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  /** Full name. */
  readonly topic: string;
  readonly decode: Decoder<T>;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** How long a record waits for its schema before it is left out. Default 5 minutes. */
  readonly unknownSchemaWaitMs?: number;
  readonly sessionTimeoutMs?: number;
  /**
   * Whether a value is kept as its bytes until `get` asks for it: for a process that uses a part of a large table. 100,000 endpoints
   * then take a third of the memory. Default: no.
   */
  readonly isKeptEncoded?: boolean;
}
