/** Puts the data set into the tables as the recorder does: migrated by its migrations, written by its writer, the rest filled by the views. */
import type { Signal } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { aRawRecord } from "@postrider/testkit";
import {
  ATTEMPTS,
  AUDIT,
  DEAD_LETTERS,
  EVENTS,
  SIGNALS,
} from "../../services/recorder/src/columns.ts";
import type { Table } from "../../services/recorder/src/columns.ts";
import { createWriter } from "../../services/recorder/src/clickhouse/writer.ts";
import { migrate } from "../../services/recorder/src/migrate/migrate.ts";
import { readMigrations } from "../../services/recorder/src/migrate/migration-files.ts";
import type { DataSet } from "./data-set.ts";

export interface Recorder {
  /** Inserts everything. The second time the same records get other tokens, as after a crash whose token was forgotten. */
  record(
    data: Partial<
      Pick<DataSet, "attempts" | "intakes" | "deadLetters" | "audit">
    > & {
      readonly signals?: readonly Signal[];
    },
  ): Promise<void>;
  close(): Promise<void>;
}

/** Migrates the database, which need not exist. */
export async function startRecorder(
  url: string,
  database: string,
): Promise<Recorder> {
  const first = createWriter({ url, database: "default" });
  await migrate({ sql: first, database, migrations: readMigrations() });
  await first.close();
  const writer = createWriter({ url, database });
  // What is inserted twice must stay so: it is what FINAL is for.
  for (const { name } of [
    EVENTS,
    ATTEMPTS,
    DEAD_LETTERS,
    AUDIT,
    { name: "deliveries" },
  ])
    await writer.command(`SYSTEM STOP MERGES ${database}.${name}`);
  let tokens = 0;

  async function insert<T>(
    table: Table<T>,
    values: readonly T[],
  ): Promise<void> {
    const raw: RawRecord = aRawRecord({ topic: table.name });
    const rows = values.map((value, offset) => ({
      value,
      raw: { ...raw, offset },
    }));
    const token = `token-${(tokens += 1)}`;
    const signal = AbortSignal.timeout(60_000);
    const result = await writer.tableOf(table).insert(rows, token, signal);
    if (result.kind !== "inserted") throw new Error(JSON.stringify(result));
  }

  return {
    async record({ attempts, intakes, deadLetters, signals, audit = [] }) {
      // Not in the order in which things happened: each topic is recorded at its own pace.
      if (attempts) await insert(ATTEMPTS, attempts);
      if (intakes) await insert(EVENTS, intakes);
      if (deadLetters) await insert(DEAD_LETTERS, deadLetters);
      if (signals) await insert(SIGNALS, signals);
      if (audit.length > 0) await insert(AUDIT, audit);
    },
    close: () => writer.close(),
  };
}
