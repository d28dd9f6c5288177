/** Whether the tables are such that roll-ups can be compared with attempts. Nothing else is looked at before that. */
import { RefusedError } from "../clickhouse/with-sql.ts";
import type { Writer } from "../clickhouse/writer.ts";
import { ROLL_UPS } from "./roll-up.ts";

/** The tables are not what the comparison is made for: nothing was looked at. */
export class RollUpsRefusedError extends RefusedError {
  readonly code = "ROLL_UPS_REFUSED";
}

const NAMES = ["attempts", ...ROLL_UPS.map(({ table }) => table)];

/** Throws `RollUpsRefusedError`, or ClickHouse's error. */
export async function refuseOtherTables(
  sql: Pick<Writer, "query">,
  database: string,
): Promise<void> {
  const found = await sql.query<{ name: string; engine: string }>(
    "SELECT name, engine FROM system.tables WHERE database = {database: String} AND name IN {names: Array(String)}",
    { database, names: NAMES },
  );
  const refusal = refusalOf(database, NAMES, found);
  if (refusal !== null) throw refusal;
  for (const table of NAMES) await refuseHiddenRows(sql, database, table);
}

/**
 * A row policy hides rows from this user without a word: of `attempts` alone, and every roll-up seems to count too much; of a roll-up alone,
 * and it seems short. Only the plan of a query tells a user without further grants. A policy that hides nothing (`USING 1`) is not in it.
 */
async function refuseHiddenRows(
  sql: Pick<Writer, "query">,
  database: string,
  table: string,
): Promise<void> {
  const plan = await sql.query<{ explain: string }>(
    `EXPLAIN PLAN actions = 1 SELECT tenant_id FROM ${database}.${table}`,
  );
  if (!plan.some(({ explain }) => /row.level filter/i.test(explain))) return;
  throw new RollUpsRefusedError(
    `a row policy hides rows of ${database}.${table} from this user, so that a roll-up may seem short, or to count too much, and is not`,
    "Run this as a user for whom no row policy hides anything in attempts, endpoint_hour and tenant_minute. Which ones are there: SHOW ROW POLICIES",
  );
}

/** Null where the tables are those of one server. */
export function refusalOf(
  database: string,
  names: readonly string[],
  found: readonly { readonly name: string; readonly engine: string }[],
): RollUpsRefusedError | null {
  const missing = names.find((name) => found.every((one) => one.name !== name));
  if (missing !== undefined)
    return new RollUpsRefusedError(
      `${database} has no table ${missing}, or this user may not see it`,
      "npx postrider migrate, or give this user the grants that docs/security.md lists",
    );
  const other = found.find(
    ({ engine }) => !/^(?:Replacing|Aggregating)MergeTree$/.test(engine),
  );
  if (other === undefined) return null;
  return new RollUpsRefusedError(
    `${database}.${other.name} is a ${other.engine}: roll-ups are compared and repaired only in tables of one server. Replicas may be some seconds apart, which looks like a loss, and a repair there has never been run`,
    "See docs/sql/replicated.md: Keeper takes a part and its entry together, so that replicated roll-ups should not become short.",
  );
}
