/** Checks every few seconds whether ClickHouse answers and has our tables, and at first whether we have our grants there. The result affects readiness, never liveness. */
import { createGrantsCheck } from "@postrider/runtime";
import type { Check, Lifecycle, Log } from "@postrider/runtime";
import { pendingMigrations } from "./migrate.ts";
import type { MigrateOptions } from "./migrate.ts";

const EVERY_MS = 2_000;

export interface TableWatch extends Lifecycle {
  check(): Check;
}

export function createTableWatch(
  options: Pick<MigrateOptions, "sql" | "database" | "migrations"> & {
    readonly log: Log;
    readonly everyMs?: number;
  },
): TableWatch {
  const { log, database, everyMs = EVERY_MS } = options;
  const grants = createGrantsCheck({
    ask: options.sql.valueOf,
    holder: "recorder",
    database,
    log,
  });
  let seen = { isOk: false, detail: "not looked yet" };
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function look(): Promise<void> {
    const found = await stateOf(options);
    if (found.detail !== seen.detail)
      log[found.isOk ? "info" : "warn"]("tables.looked", {
        database,
        ...found,
      });
    seen = found;
    if (found.isOk) await grants.look();
    if (!isStopped) timer = setTimeout(() => void look(), everyMs); // safe without a catch: stateOf never rejects
  }

  return {
    start: () => look(),
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return Promise.resolve();
    },
    check() {
      const lack = grants.lack();
      // What is missing may be needed seldom, for a mend; an insert that is refused shows by itself.
      return {
        name: "clickhouse",
        ...seen,
        ...(seen.isOk && lack !== null && { detail: `degraded: ${lack}` }),
      };
    },
  };
}

/** Whether the database has every migration; never rejects. */
export async function stateOf(
  options: Pick<MigrateOptions, "sql" | "database" | "migrations">,
): Promise<{ isOk: boolean; detail: string }> {
  try {
    const pending = await pendingMigrations(options);
    if (pending.length === 0)
      return { isOk: true, detail: "tables are up to date" };
    const names = pending.map(({ name }) => name).join(", ");
    return { isOk: false, detail: `needs ${names}: run postrider migrate` };
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    const isMissing = code === "60" || code === "81"; // no such table, no such database
    const detail = isMissing
      ? "has no tables of Postrider: run postrider migrate"
      : (message ?? String(error)).split("\n")[0]!;
    return { isOk: false, detail };
  }
}
