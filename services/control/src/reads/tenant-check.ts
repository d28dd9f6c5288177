/**
 * Proves, before a tenant is served and again every few minutes, that the tenants' user in ClickHouse cannot do what it must not.
 * It writes no rows for that: it asks as a tenant that cannot exist. Of a table without rows ClickHouse's answers and plans are the
 * same with a row filter and without. Such a table proves nothing yet, and is looked at again every few seconds until it does.
 */
import {
  OPERATORS_COLUMNS,
  TENANT_HEADER,
  TENANT_SETTINGS,
  TENANT_TABLES,
  type Log,
} from "@postrider/runtime";

export interface TenantQuestion {
  readonly sql: string;
  /** The header's value; null: no header is sent. */
  readonly tenantId: string | null;
  /** Settings that are sent in the URL. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Asks ClickHouse as the tenants' user. Resolves to the answer as text. Rejects with ClickHouse's `code`, or without one where it does not answer. */
export type AskAsTenant = (question: TenantQuestion) => Promise<string>;

/** No tenant's id has a slash. */
const NOBODY = "postrider/self-test";

/** The first rows of each part. A row filter finds nothing by the key: a count of all rows would read every table to its end. */
const SAMPLE = "_part_offset < 1000";

export interface TenantFindings {
  /** What the user can do and must not, or cannot and must, each as a sentence; empty: it is safe to serve tenants. */
  readonly faults: readonly string[];
  /** Tables that have no rows yet, so that nobody can tell whether they have their filter. */
  readonly unproven: readonly string[];
}

/** Asks everything. Rejects if ClickHouse does not answer. */
export async function tenantFindings(
  ask: AskAsTenant,
  database: string,
): Promise<TenantFindings> {
  const faults = [
    ...(await settingFaults(ask)),
    ...(await grantFaults(ask, database)),
  ];
  // Without these a count of rows would prove nothing.
  if (faults.length > 0) return { faults, unproven: [] };
  const tables = TENANT_TABLES.map((table) => `${database}.${table}`);
  return await filterFindings(ask, tables);
}

/** Asks of these tables alone whether a row of another tenant shows, and whether they have their filter. */
async function filterFindings(
  ask: AskAsTenant,
  tables: readonly string[],
): Promise<TenantFindings> {
  const faults: string[] = [];
  const unproven: string[] = [];
  for (const table of tables) {
    const found = await tableFindings(ask, table);
    faults.push(...found.faults);
    if (!found.isProven) unproven.push(table);
  }
  return { faults, unproven };
}

async function settingFaults(ask: AskAsTenant): Promise<string[]> {
  const nobody = { tenantId: NOBODY };
  const faults: string[] = [];
  const header = await orRefusal(
    ask({ ...nobody, sql: `SELECT getClientHTTPHeader('${TENANT_HEADER}')` }),
  );
  if (header !== NOBODY)
    faults.push(
      `the header ${TENANT_HEADER} does not reach its row filters (it reads ${JSON.stringify(header)}): allow_get_client_http_header must be 1, and no proxy may take the header away`,
    );
  const names = Object.keys(TENANT_SETTINGS).map((name) => `'${name}'`);
  const sql = `SELECT name, value FROM system.settings WHERE name IN (${names.join(", ")})`;
  const lines = (await ask({ ...nobody, sql })).split("\n");
  const values = new Map(
    lines.map((line) => line.split("\t") as [string, string]),
  );
  for (const [name, { value }] of Object.entries(TENANT_SETTINGS)) {
    const is = values.get(name) ?? "not known";
    // A limit is for the administrator to choose, but 0 would be none.
    const isRight = name.startsWith("max_")
      ? Number(is) > 0
      : is === String(value);
    if (!isRight)
      faults.push(`its profile must have ${name} = ${value}; it is ${is}`);
  }
  for (const [what, question] of [
    ["in the URL", { sql: "SELECT 1", settings: { max_execution_time: "0" } }],
    ["in a query", { sql: "SELECT 1 SETTINGS max_execution_time = 0" }],
    ["in a query", { sql: "SELECT 1 SETTINGS readonly = 0" }],
  ] as const)
    if (!(await isRefused(ask({ ...nobody, ...question }))))
      faults.push(`it may change a setting ${what}`);
  return faults;
}

/** What ClickHouse has for administrators: other users' queries, users, and how much there is of others. */
const SYSTEM_TABLES = ["processes", "query_log", "parts", "users"];

async function grantFaults(
  ask: AskAsTenant,
  database: string,
): Promise<string[]> {
  const faults: string[] = [];
  const seen = await ask({
    tenantId: NOBODY,
    sql: "SELECT concat(database, '.', name) FROM system.tables WHERE lower(database) NOT IN ('system', 'information_schema')",
  });
  const visible = seen.split("\n").filter((name) => name !== "");
  const wanted = TENANT_TABLES.map((table) => `${database}.${table}`);
  for (const table of visible)
    if (!wanted.includes(table))
      faults.push(`it sees ${table}, which has no row filter of Postrider`);
  for (const table of wanted)
    if (!visible.includes(table))
      faults.push(`it may not read ${table}: GRANT SELECT ON ${table}`);
  for (const { table, column } of OPERATORS_COLUMNS) {
    const from = `${database}.${table}`;
    const sql = `SELECT ${column} FROM ${from} WHERE 0`;
    if (!(await isRefused(ask({ tenantId: NOBODY, sql }))))
      faults.push(
        `it may read the column ${column} of ${from}: REVOKE SELECT(${column}) ON ${from}`,
      );
  }
  for (const table of SYSTEM_TABLES) {
    const sql = `SELECT count() FROM system.${table}`;
    if (!(await isRefused(ask({ tenantId: NOBODY, sql }))))
      faults.push(`it may read system.${table}`);
  }
  return faults;
}

async function tableFindings(
  ask: AskAsTenant,
  table: string,
): Promise<{ readonly faults: readonly string[]; readonly isProven: boolean }> {
  const faults: string[] = [];
  for (const tenantId of [NOBODY, null]) {
    const sql = `SELECT count() FROM ${table} WHERE ${SAMPLE}`;
    const rows = await ask({ sql, tenantId });
    if (rows !== "0")
      faults.push(
        `it reads rows of tenants in ${table} ${tenantId === null ? "without naming a tenant" : "as another one"}: the row filter is missing`,
      );
  }
  const plan = await ask({
    tenantId: NOBODY,
    sql: `EXPLAIN actions = 1 SELECT tenant_id FROM ${table} WHERE ${SAMPLE}`,
  });
  const isProven = !plan.includes("NullSource");
  if (faults.length === 0 && isProven && !isFiltered(plan))
    faults.push(`no row filter is on ${table}`);
  // Of no rows: should it be allowed, nothing is written.
  const sql = `INSERT INTO ${table} (tenant_id) SELECT tenant_id FROM ${table} WHERE 0`;
  if (!(await isRefused(ask({ sql, tenantId: NOBODY }))))
    faults.push(`it may write ${table}`);
  return { faults, isProven };
}

/** The plan names what is asked for, and beside it the tenant that it is compared with. An OR, also written as IN, would let others in. */
function isFiltered(plan: string): boolean {
  const lines = plan
    .split("\n")
    .filter((line) => /filter column:/i.test(line))
    .join("\n");
  const isTenants = [NOBODY, "getClientHTTPHeader"].some((name) =>
    (lines || plan).includes(name),
  );
  return isTenants && !/\b(?:or|in)\b/i.test(lines);
}

/** 164 readonly, 452 a bound of a setting, 497 no grant, 60 no such table, 47 no such column (not migrated yet). */
const REFUSALS = ["164", "452", "497", "60", "47"];

async function isRefused(asked: Promise<string>): Promise<boolean> {
  try {
    await asked;
    return false;
  } catch (error) {
    if (REFUSALS.includes(codeOf(error))) return true;
    throw error;
  }
}

/** The answer, or ClickHouse's own words where it refused. */
async function orRefusal(asked: Promise<string>): Promise<string> {
  try {
    return await asked;
  } catch (error) {
    if (/^\d+$/.test(codeOf(error))) return (error as Error).message;
    throw error;
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}

export interface TenantCheck {
  /** Runs the self-test; with `unproven` only of the tables that have proved nothing yet. Never rejects. */
  look(what: "all" | "unproven"): Promise<void>;
  /** Why no tenant is served, as a sentence; null: tenants are served. */
  whyNot(): string | null;
}

/** Closed until the self-test has passed, and again as soon as it fails or cannot be run. */
export function createTenantCheck(options: {
  readonly ask: AskAsTenant;
  readonly database: string;
  readonly log: Pick<Log, "info" | "error">;
}): TenantCheck {
  const { ask, database, log } = options;
  let reason: string | null = "its self-test has not run yet";
  let unproven: readonly string[] = [];

  async function reasonNow(what: "all" | "unproven"): Promise<string | null> {
    try {
      const found =
        what === "all"
          ? await tenantFindings(ask, database)
          : await filterFindings(ask, unproven);
      ({ unproven } = found);
      return found.faults.length === 0 ? null : found.faults.join("; ");
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      return `its self-test could not be run: ${words.trim()}`;
    }
  }

  return {
    async look(what) {
      const before = reason;
      reason = await reasonNow(what);
      if (reason === before) return;
      if (reason === null) log.info("tenants.served", { database });
      else log.error("tenants.notServed", { why: reason });
    },
    whyNot: () => reason,
  };
}
