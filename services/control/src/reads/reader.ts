/**
 * The only file of control that imports @clickhouse/client. It asks as two users: control's own for operators, and the tenants'
 * user, whom ClickHouse shows one tenant's rows alone. Every query is read-only, and none is retried: a person is waiting.
 */
import { text } from "node:stream/consumers";
import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
  type QueryParams,
} from "@clickhouse/client";
import {
  createGrantsCheck,
  TENANT_HEADER,
  type ClickHouseAccess,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import { ATTEMPTS_SQL, DELIVERIES_SQL, EVENTS_SQL } from "./event-sql.ts";
import type { AttemptRow, DeliveryRow, EventRow } from "./event-view.ts";
import type { QueryValues } from "../cookbook/read-parameters.ts";
import { ControlProblem } from "../http/problem.ts";
import { readCapped, type QueryAnswer } from "./query-answer.ts";
import { createTenantCheck } from "./tenant-check.ts";

/** What may be asked. Whose rows are seen is the caller's affair: an operator's are all, a tenant's its own. */
export interface Reading {
  /** All rows of the event, oldest first; `tenantId` null: of every tenant. */
  events(eventId: string, tenantId: string | null): Promise<EventRow[]>;
  /** At most `MAX_DELIVERIES + 1` deliveries of one event that was received between the two times. */
  deliveries(of: EventKey): Promise<DeliveryRow[]>;
  /** At most `MAX_ATTEMPTS + 1` rows, including deferrals. */
  attempts(of: EventKey): Promise<AttemptRow[]>;
  /**
   * Runs a SELECT of ours; numbers come as numbers. With `isOperators` an operator's SQL is a part of it, which `judgeQuery` must have
   * allowed: it may run as long as the operator's own queries, and what ClickHouse says against it is the problem `query_failed`.
   * Otherwise every failure is `clickhouse_unavailable`.
   */
  select<Row>(
    sql: string,
    values: Readonly<Record<string, unknown>>,
    isOperators?: boolean,
  ): Promise<Row[]>;
  /** Runs an operator's SQL, which `judgeQuery` must have allowed, or a saved query with its parameters' values. The answer is `truncated` where a saved query has more rows than its `limit`. Throws a `ControlProblem` with ClickHouse's own words. Aborting `gone` ends the query on the server, too. */
  query(
    sql: string,
    gone: AbortSignal,
    values?: QueryValues,
  ): Promise<QueryAnswer>;
}

/** As an operator, and as a tenant. */
export interface Reader extends Reading, Lifecycle {
  /** The same as the tenants' user of ClickHouse, which sees this tenant's rows alone. Throws a `ControlProblem` that says what to do, while tenants are not served. */
  ofTenant(tenantId: string): Reading;
  /** The result of the last check of ClickHouse; there is one every five seconds. */
  reachability(): { readonly isReachable: boolean; readonly detail: string };
}

export interface EventKey {
  readonly tenantId: string;
  readonly eventId: string;
  readonly receivedFrom: number;
  readonly receivedTo: number;
}

export interface ReaderOptions extends ClickHouseAccess {
  readonly database: string;
  readonly queryTimeoutMs: number;
  /** The tenants' user; without it no tenant is served. */
  readonly tenants?: ClickHouseAccess | null;
  readonly log: Log;
}

export const MAX_QUERY_ROWS = 10_000;
export const MAX_QUERY_BYTES = 8 * 1024 * 1024;
/** ClickHouse's own cap on a result, counted in its own format, which is often larger than the text. So it ends only results far beyond the text's cap. */
const MAX_RESULT_BYTES = 8 * MAX_QUERY_BYTES;

const LOOK_EVERY_MS = 5_000;
const EVENT_TIMEOUT_MS = 10_000;
/** The client waits this much longer than the server, so that the server's own error arrives. */
const GRACE_MS = 2_000;

export function createReader(options: ReaderOptions): Reader {
  const operators = connectionOf(options, options);
  const tenants = options.tenants ? tenantsOf(options, options.tenants) : null;
  const { own } = operators;
  let seen = { isReachable: false, detail: "not looked at yet" };
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const grants = createGrantsCheck({
    ask: (query) => textOf(own, { query }),
    holder: "control",
    database: options.database,
    log: options.log,
  });

  async function look(): Promise<void> {
    const now = await reachabilityOf(own);
    if (now.isReachable !== seen.isReachable)
      options.log.info("clickhouse.reachability", now);
    seen = now;
    if (now.isReachable) await grants.look();
    await tenants?.look();
  }

  /** Each check starts only after the one before has ended: against a server that hangs, they would pile up. */
  function lookAgain(): void {
    void look().finally(() => {
      if (!isStopped) timer = setTimeout(lookAgain, LOOK_EVERY_MS).unref();
    });
  }

  return {
    ...readingOver(operators, {
      forRows: { readonly: "2", ...SAVED_SETTINGS, ...JSON_OUTPUT },
      forSelect: (isOperators) =>
        selectSettings(isOperators ? options.queryTimeoutMs : EVENT_TIMEOUT_MS),
      forQuery: operatorSettings(options.queryTimeoutMs),
      forSaved: SAVED_SETTINGS,
      headers: {},
    }),
    ofTenant(tenantId) {
      if (tenants === null) throw notServed(NO_TENANTS_USER);
      return tenants.readingOf(tenantId);
    },
    reachability() {
      const lack = seen.isReachable ? grants.lack() : null;
      return lack === null ? seen : { ...seen, detail: `degraded: ${lack}` };
    },
    async start() {
      await look();
      timer = setTimeout(lookAgain, LOOK_EVERY_MS).unref();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await Promise.all([operators.close(), tenants?.close()]);
    },
  };
}

/** How one kind of caller asks. */
interface Manner {
  readonly forRows: ClickHouseSettings;
  readonly forSelect: (isOperators: boolean) => ClickHouseSettings;
  readonly forQuery: ClickHouseSettings;
  /** Beside `forQuery`, where the text is ours. */
  readonly forSaved: ClickHouseSettings;
  readonly headers: Readonly<Record<string, string>>;
}

function readingOver(
  { own, queries }: Connection,
  { forRows, forSelect, forQuery, forSaved, headers }: Manner,
): Reading {
  const how = { clickhouse_settings: forRows, http_headers: headers };
  return {
    events: (eventId, tenantId) =>
      rows<EventRow>(own, EVENTS_SQL, {
        ...how,
        query_params: { eventId, tenantId: tenantId ?? "" },
      }),
    deliveries: (of) =>
      rows<DeliveryRow>(own, DELIVERIES_SQL, {
        ...how,
        query_params: { ...of },
      }),
    attempts: (of) =>
      rows<AttemptRow>(own, ATTEMPTS_SQL, { ...how, query_params: { ...of } }),
    async select<Row>(
      sql: string,
      values: Readonly<Record<string, unknown>>,
      isOperators = false,
    ): Promise<Row[]> {
      try {
        return await rowsNow<Row>(isOperators ? queries : own, sql, {
          query_params: { ...values },
          clickhouse_settings: forSelect(isOperators),
          http_headers: headers,
        });
      } catch (error) {
        const refused = isOperators ? "query_failed" : "clickhouse_unavailable";
        throw problemOf(error, refused);
      }
    },
    async query(sql, gone, values) {
      try {
        const result = await queries.made.query({
          ...queries.auth(),
          query: sql,
          ...(values && { query_params: withOneMoreRow(values) }),
          abort_signal: gone,
          format: "JSONCompactEachRowWithNamesAndTypes",
          http_headers: headers,
          clickhouse_settings: {
            ...forQuery,
            ...(values && forSaved),
          },
        });
        return await readCapped(result.stream(), {
          maxRows: Number(values?.["limit"] ?? MAX_QUERY_ROWS),
          maxBytes: MAX_QUERY_BYTES,
        });
      } catch (error) {
        throw problemOf(error, "query_failed", values !== undefined);
      }
    },
  };
}

/** Every 24th look: two minutes. Until the self-test has passed, with every look; and so what is not proved yet. */
const CHECK_EVERY_LOOKS = 24;

/** The tenants' side. Its questions bring no settings: the user's profile has them all, and refuses every change. */
function tenantsOf(
  options: ReaderOptions,
  access: ClickHouseAccess,
): {
  look(): Promise<void>;
  readingOf(tenantId: string): Reading;
  close(): Promise<void>;
} {
  const connection = connectionOf(options, access);
  const check = createTenantCheck({
    ask: ({ sql, tenantId, settings }) =>
      textOf(connection.own, {
        query: sql,
        ...(settings && { clickhouse_settings: settings }),
        http_headers: tenantId === null ? {} : { [TENANT_HEADER]: tenantId },
      }),
    database: options.database,
    log: options.log,
  });
  let looks = 0;
  return {
    async look() {
      looks += 1;
      const isTurn = looks % CHECK_EVERY_LOOKS === 0;
      await check.look(check.whyNot() !== null || isTurn ? "all" : "unproven");
    },
    readingOf(tenantId) {
      const why = check.whyNot();
      if (why !== null)
        throw notServed(
          `The tenants' user of ClickHouse is not safe to ask as: ${why}. See docs/security.md, Tenants.`,
        );
      return readingOver(connection, {
        forRows: {},
        forSelect: () => ({}),
        forQuery: {},
        forSaved: {},
        headers: { [TENANT_HEADER]: tenantId },
      });
    },
    close: connection.close,
  };
}

const NO_TENANTS_USER =
  "This control has no user in ClickHouse for tenants: set CLICKHOUSE_TENANT_USER and CLICKHOUSE_TENANT_PASSWORD. `npx postrider migrate --print-tenant-user` prints the statements that make it.";

function notServed(detail: string): ControlProblem {
  return new ControlProblem("tenants_not_served", detail, {
    headers: { "retry-after": "60" },
  });
}

/** A row beyond the limit shows that there are more. It is not in the answer. */
function withOneMoreRow(values: QueryValues): QueryValues {
  const { limit } = values;
  return typeof limit === "number" ? { ...values, limit: limit + 1 } : values;
}

/** Never rejects. Not by the client's own ping, which would send the password of the start. */
async function reachabilityOf(
  client: Client,
): Promise<ReturnType<Reader["reachability"]>> {
  try {
    await rowsNow(client, "SELECT 1", {
      clickhouse_settings: { readonly: "2" },
    });
    return { isReachable: true, detail: "reachable" };
  } catch (error) {
    return { isReachable: false, detail: wordsOf(error) };
  }
}

/**
 * `readonly=1` makes ClickHouse refuse writes and, unlike `readonly=2`, every SETTINGS clause. With 2, on an engine whose
 * user has no profile, `SETTINGS max_execution_time=0` would lift the caps. The overflow mode `break` ends a result only at
 * the end of a block, so rows are capped again while they are read; to stop reading ends the query on the server.
 */
function operatorSettings(timeoutMs: number): ClickHouseSettings {
  return {
    readonly: "1",
    max_execution_time: Math.max(1, Math.ceil(timeoutMs / 1000)),
    timeout_overflow_mode: "throw",
    max_result_rows: String(MAX_QUERY_ROWS + 1),
    max_result_bytes: String(MAX_RESULT_BYTES),
    result_overflow_mode: "break",
    max_memory_usage: String(2 * 1024 ** 3),
    cancel_http_readonly_queries_on_client_close: 1,
    ...JSON_OUTPUT,
  };
}

/** As for an operator's query; but no row may be missing, so nothing is cut off. */
function selectSettings(timeoutMs: number): ClickHouseSettings {
  return {
    readonly: "1",
    max_execution_time: Math.max(1, Math.ceil(timeoutMs / 1000)),
    timeout_overflow_mode: "throw",
    max_memory_usage: String(2 * 1024 ** 3),
    optimize_aggregation_in_order: 1,
    ...SAVED_SETTINGS,
    ...JSON_OUTPUT,
  };
}

/** All rows of one key are in one partition of Postrider's tables. Otherwise `FINAL` reads every day of `events`, as its key has no time. */
export const SAVED_SETTINGS = {
  do_not_merge_across_partitions_select_final: 1,
} as const;

const JSON_OUTPUT = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 1,
} as const;

/** The client, and what each request says of who we are: a password may have changed since the last one. */
interface Client {
  readonly made: ClickHouseClient;
  auth(): Pick<QueryParams, "auth">;
}

/** Two clients of one user, so that slow queries never keep `GET /v1/events/{id}` waiting for a connection. */
interface Connection {
  readonly own: Client;
  readonly queries: Client;
  close(): Promise<void>;
}

function connectionOf(
  { database, queryTimeoutMs }: ReaderOptions,
  access: ClickHouseAccess,
): Connection {
  const own = clientOf(access, {
    database,
    timeoutMs: EVENT_TIMEOUT_MS,
    connections: 4,
  });
  const queries = clientOf(access, {
    database,
    timeoutMs: queryTimeoutMs + GRACE_MS,
    connections: 4,
  });
  return {
    own,
    queries,
    async close() {
      await Promise.all([own.made.close(), queries.made.close()]);
    },
  };
}

function clientOf(
  options: ClickHouseAccess,
  limits: {
    readonly database: string;
    readonly timeoutMs: number;
    readonly connections: number;
  },
): Client {
  const { auth, agent } = options;
  const made = createClient({
    url: options.url,
    database: limits.database,
    application: "postrider-control",
    request_timeout: limits.timeoutMs,
    max_open_connections: limits.connections,
    ...(agent && { http_agent: agent(limits.connections) }),
    // Below the 3 s after which servers and load balancers close an idle connection without notice.
    keep_alive: {
      enabled: true,
      idle_socket_ttl: 1_500,
      eagerly_destroy_stale_sockets: true,
    },
    // The client's own log would quote query texts and rows at level ERROR; its errors are thrown to us anyway.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return { made, auth: () => (auth === undefined ? {} : { auth: auth() }) };
}

type Asked = Pick<
  QueryParams,
  "query_params" | "clickhouse_settings" | "http_headers"
>;

/** As `rowsNow`, but rejects with a `ControlProblem`. */
async function rows<Row>(
  client: Client,
  query: string,
  asked: Asked,
): Promise<Row[]> {
  try {
    return await rowsNow<Row>(client, query, asked);
  } catch (error) {
    throw problemOf(error, "clickhouse_unavailable");
  }
}

/** Rejects with the client's error. */
async function rowsNow<Row>(
  { made, auth }: Client,
  query: string,
  asked: Asked,
): Promise<Row[]> {
  const result = await made.query({
    ...auth(),
    query,
    ...asked,
    format: "JSONEachRow",
  });
  return await result.json<Row>();
}

/** The answer as ClickHouse writes it. */
async function textOf(
  { made, auth }: Client,
  asked: Omit<Asked, "query_params"> & { readonly query: string },
): Promise<string> {
  const { stream } = await made.exec({ ...auth(), ...asked });
  return (await text(stream)).trim();
}

/** The problem for a failed query: with ClickHouse's own words if it refused, else only that it did not answer. */
function problemOf(
  error: unknown,
  refused: "query_failed" | "clickhouse_unavailable",
  isSaved = false,
): ControlProblem {
  if (error instanceof ControlProblem) return error;
  const isAnswer = error instanceof ClickHouseError && !isOurFault(error);
  if (isAnswer && refused === "query_failed")
    return new ControlProblem("query_failed", wordsOf(error), {
      errors: [
        {
          field: fieldOf(error, isSaved),
          rule: `clickhouse_${error.code}`,
          message: error.type ?? "was refused",
        },
      ],
      cause: error,
    });
  return new ControlProblem("clickhouse_unavailable", wordsOf(error), {
    headers: { "retry-after": "1" },
    cause: error,
  });
}

/** What of the request ClickHouse's refusal is about: of a saved query its window, where that is too much (159 time, 241 memory). */
function fieldOf(error: ClickHouseError, isSaved: boolean): string {
  if (!isSaved) return "sql";
  return ["159", "241"].includes(error.code) ? "since" : "name";
}

/** 516 wrong password, 81 no such database, 202 and 203 too busy: no change of the caller's SQL would help. */
function isOurFault(error: ClickHouseError): boolean {
  return ["516", "81", "202", "203"].includes(error.code);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ClickHouseError)
    return `${error.message.trim()} (code ${error.code})`;
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return `ClickHouse does not answer: ${error.message || "no connection"}${code}`;
}
