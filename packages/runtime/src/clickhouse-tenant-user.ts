/**
 * The user as whom control asks ClickHouse for a tenant: which tables it reads, of them which rows, and under which settings. From
 * this one description come the statements that make the user, the users of tests, and control's self-test.
 */

/** Every table and roll-up that a tenant's questions read. The user has no grant on any other, nor on a view. */
export const TENANT_TABLES = [
  "events",
  "attempts",
  "deliveries",
  "dead_letters",
  "signals",
  "audit",
  "endpoint_hour",
  "tenant_minute",
] as const;

/** What a tenant may not read of its own rows: where requests really go is told to operators alone. */
export const OPERATORS_COLUMNS = [
  { table: "attempts", column: "remote_address" },
] as const;

/** The header in which control names the tenant with each question. */
export const TENANT_HEADER = "X-Tenant-Id";

/** Without the header nothing is seen, not even what has no tenant (a record that could not be read). */
export const TENANT_FILTER = `tenant_id != '' AND tenant_id = getClientHTTPHeader('${TENANT_HEADER}')`;

export interface TenantSetting {
  readonly value: number | string;
  readonly min?: number;
  readonly max?: number;
}

/**
 * `readonly` 1 refuses every write and every change of these. The bounds of the limits hold also where somebody lifts `readonly`:
 * without a least value, 0 would pass, and mean no limit.
 */
export const TENANT_SETTINGS: Readonly<Record<string, TenantSetting>> = {
  readonly: { value: 1 },
  allow_get_client_http_header: { value: 1 },
  max_execution_time: atMost(30),
  timeout_overflow_mode: { value: "throw" },
  max_memory_usage: atMost(2 * 1024 ** 3),
  // Above every LIMIT of ours (an event's attempts: 20,001): `break` would cut an answer without a word.
  max_result_rows: atMost(30_000),
  max_result_bytes: atMost(64 * 1024 * 1024),
  result_overflow_mode: { value: "break" },
  do_not_merge_across_partitions_select_final: { value: 1 },
  // Its answers are kept for each user, and this user is all tenants.
  use_query_cache: { value: 0 },
  cancel_http_readonly_queries_on_client_close: { value: 1 },
  output_format_json_quote_64bit_integers: { value: 0 },
  output_format_json_quote_denormals: { value: 1 },
};

/** A limit that may be made smaller, and not lifted. */
function atMost(value: number): TenantSetting {
  return { value, min: 1, max: value };
}

/** `GRANT …`, then `REVOKE …` of what these give too much, each without its user. */
export function tenantGrants(database: string): readonly string[] {
  return [
    ...TENANT_TABLES.map((table) => `GRANT SELECT ON ${database}.${table}`),
    ...OPERATORS_COLUMNS.map(
      ({ table, column }) => `REVOKE SELECT(${column}) ON ${database}.${table}`,
    ),
  ];
}

/** The table with its database, and the condition under which the user sees a row. */
export function tenantRowFilters(
  database: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    TENANT_TABLES.map((table) => [`${database}.${table}`, TENANT_FILTER]),
  );
}

/** The user as an entry of a server's file of users, for one whose users cannot be made by statements. */
export function tenantUserEntry(database: string, password: string) {
  return {
    password,
    grants: tenantGrants(database),
    settings: TENANT_SETTINGS,
    rowFilters: tenantRowFilters(database),
  } as const;
}

/**
 * The statements that make the user on a server, without their semicolons. Each table has a second policy, for everybody else:
 * on a server whose `users_without_row_policies_can_read_rows` is off, the first one alone would hide all rows from the services.
 */
export function tenantUserStatements({
  database,
  user: name,
}: {
  readonly database: string;
  readonly user: string;
}): readonly string[] {
  const user = identifier(name);
  const others = identifier(`${name}_others`);
  const settings = Object.entries(TENANT_SETTINGS).map(
    ([name, { value, min, max }]) => {
      const written = typeof value === "string" ? `'${value}'` : value;
      const bounds = min === undefined ? "" : ` MIN ${min} MAX ${max}`;
      return `  ${name} = ${written}${bounds}`;
    },
  );
  return [
    `CREATE SETTINGS PROFILE IF NOT EXISTS ${user} SETTINGS\n${settings.join(",\n")}`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED WITH sha256_password BY '...' SETTINGS PROFILE ${user}`,
    ...tenantGrants(database).map(
      (one) => `${one} ${one.startsWith("REVOKE") ? "FROM" : "TO"} ${user}`,
    ),
    ...Object.entries(tenantRowFilters(database)).flatMap(([table, filter]) => [
      `CREATE ROW POLICY IF NOT EXISTS ${user} ON ${table} USING ${filter} TO ${user}`,
      `CREATE ROW POLICY IF NOT EXISTS ${others} ON ${table} USING 1 TO ALL EXCEPT ${user}`,
    ]),
  ];
}

/** As ClickHouse writes a name: in backquotes where it is more than a word. */
function identifier(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name)
    ? name
    : `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}
