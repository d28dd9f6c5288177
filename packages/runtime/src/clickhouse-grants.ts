/** The grants that each part needs in ClickHouse: the one list from which come the check at start, `postrider doctor` and the documentation. */
import type { Log } from "./effects.ts";

/** `migrate` is `postrider migrate`, which makes the tables; `repair` is `postrider doctor roll-ups --repair`. */
export type GrantHolder = "migrate" | "recorder" | "control" | "repair";

export interface Grant {
  readonly privileges: readonly string[];
  /** A table, all of a database (`p.*`), those with a prefix (`p.x_*`), or a table engine. */
  readonly on: string;
}

/** Every table that an insert is made into, or that is looked at. */
const RECORDED = ["events", "attempts", "dead_letters", "signals", "audit"];
const ROLL_UPS = ["endpoint_hour", "tenant_minute"];

/** Everything that the part does in Postrider's database, and nothing else. */
export function grantsOf(
  holder: GrantHolder,
  database: string,
): readonly Grant[] {
  const grant = (table: string, ...privileges: string[]): Grant => ({
    privileges,
    on: `${database}.${table}`,
  });
  switch (holder) {
    case "migrate":
      return [
        grant(
          "*",
          "CREATE DATABASE",
          "CREATE TABLE",
          "CREATE VIEW",
          "ALTER TABLE",
          "ALTER VIEW",
          "DROP TABLE",
          // Materialized views read and write as the user that made them.
          "SELECT",
          "INSERT",
        ),
        ...["Memory", "ReplacingMergeTree", "AggregatingMergeTree"].map(engine),
      ];
    case "recorder":
      return [
        grant("*", "SELECT"),
        ...[...RECORDED, "deliveries"].map((table) => grant(table, "INSERT")),
        // What an insert in doubt lacks goes through a table of its own (docs/adr/0006).
        ...RECORDED.map((table) =>
          grant(
            `${table}_mend_*`,
            "CREATE TABLE",
            "INSERT",
            "ALTER DELETE",
            "DROP TABLE",
          ),
        ),
        engine("ReplacingMergeTree"),
      ];
    case "control":
      return [grant("*", "SELECT")];
    case "repair":
      return [
        ...["attempts", ...ROLL_UPS].map((table) => grant(table, "SELECT")),
        ...ROLL_UPS.map((table) => grant(table, "INSERT")),
        // What a roll-up lacks goes through a table of its own (docs/adr/0033).
        ...ROLL_UPS.map((table) =>
          grant(
            `${table}_repair_*`,
            "CREATE TABLE",
            "SELECT",
            "INSERT",
            "OPTIMIZE",
            "ALTER DELETE",
            "DROP TABLE",
          ),
        ),
        engine("AggregatingMergeTree"),
        ...["system.mutations", "system.processes"].map((on) => ({
          privileges: ["SELECT"],
          on,
        })),
      ];
  }
}

/** Some servers want a grant for each engine of tables that a user makes. */
function engine(name: string): Grant {
  return { privileges: ["TABLE ENGINE"], on: name };
}

/** The statement that grants it. */
export function grantStatement(
  { privileges, on }: Grant,
  user: string,
): string {
  return `GRANT ${privileges.join(", ")} ON ${on} TO ${user}`;
}

/** Runs a statement that has one value, as the user whose grants are asked for. Resolves to the value as text. CHECK GRANT takes no FORMAT. */
export type AskClickHouse = (sql: string) => Promise<string>;

/** The statements that grant what the user lacks; null where ClickHouse cannot tell (before it knew CHECK GRANT). Rejects if it cannot be asked. */
export async function missingGrants(
  ask: AskClickHouse,
  of: { readonly holder: GrantHolder; readonly database: string },
): Promise<readonly string[] | null> {
  const isGranted = async ({ privileges, on }: Grant): Promise<boolean> => {
    const answer = await ask(`CHECK GRANT ${privileges.join(", ")} ON ${on}`);
    return answer === "1";
  };
  try {
    const missing: Grant[] = [];
    for (const grant of grantsOf(of.holder, of.database)) {
      if (await isGranted(grant)) continue;
      const alone = grant.privileges.map((privilege) => ({
        ...grant,
        privileges: [privilege],
      }));
      for (const one of alone) if (!(await isGranted(one))) missing.push(one);
    }
    if (missing.length === 0) return [];
    const user = await ask("SELECT currentUser()");
    return missing.map((grant) => grantStatement(grant, user));
  } catch (error) {
    if ((error as { code?: unknown }).code === SYNTAX_ERROR) return null;
    throw error;
  }
}

const SYNTAX_ERROR = "62";

export interface GrantsCheck {
  /** Asks, until once nothing is missing. Never rejects. */
  look(): Promise<void>;
  /** What is missing, as a sentence; null: nothing that is known. */
  lack(): string | null;
}

export function createGrantsCheck(options: {
  readonly ask: AskClickHouse;
  readonly holder: GrantHolder;
  readonly database: string;
  readonly log: Pick<Log, "error">;
}): GrantsCheck {
  const { ask, holder, database, log } = options;
  let missing: readonly string[] | null = null;
  let isDone = false;
  return {
    async look() {
      if (isDone) return;
      const before = missing?.join();
      try {
        missing = await missingGrants(ask, { holder, database });
      } catch {
        return; // whoever asks for rows says that ClickHouse is away
      }
      isDone = missing === null || missing.length === 0;
      if (missing === null || isDone || missing.join() === before) return;
      log.error("clickhouse.grantsMissing", {
        what: sentence(missing),
        toMend: missing,
      });
    },
    lack: () => (missing?.length ? sentence(missing) : null),
  };
}

function sentence(missing: readonly string[]): string {
  return `this user lacks grants in ClickHouse: ${missing.join("; ")}. See docs/security.md; no restart is needed.`;
}
