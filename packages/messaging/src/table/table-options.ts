/** What a table is to its users, and what it is made from. */
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import type { Consumer, ConsumerOptions } from "../ports.ts";
import type { Decoder } from "../stage.ts";

/** What the topic says now. Values are shared: treat them as read-only. */
export interface Table<T> extends Lifecycle {
  get(key: string): T | undefined;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
  /** Called after each change, also while the table is read for the first time; `undefined` when the key went. Gives a function that ends it. */
  onChange(listener: TableListener<T>): () => void;
  /** Resolves once the record at this place has been read. Rejects when the table is stopped. */
  readTo(place: {
    readonly partition: number;
    readonly offset: number;
  }): Promise<void>;
  /** Resolves once everything has been read that the topic holds now. Rejects when the table is stopped. */
  readToEnd(): Promise<void>;
  /**
   * Why the table may lack what its topic holds, as a sentence; null while it is known to be current, give or take five
   * seconds. Who decides something for good by what the table does not have must wait.
   */
  behind(): string | null;
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
}
