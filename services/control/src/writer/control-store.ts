import type { ControlEntry } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import type { Clock, Log } from "@postrider/runtime";
import type { TenureWriter } from "./tenure-writer.ts";

/** What a store of one kind of record on the topic `control` reads, and writes by. */
export interface ControlStoreOptions {
  readonly tenureWriter: TenureWriter;
  readonly table: {
    get(name: string): ControlEntry | undefined;
    entries(): Iterable<readonly [string, ControlEntry]>;
  };
  readonly encode: (record: OutRecord) => Buffer;
  /** Full name of the topic `control`. */
  readonly topic: string;
  readonly clock: Clock;
  readonly log: Log;
}
