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
import { createQueryTurns, type QueryTurns, type Turn } from "./query-turns.ts";
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
  /** The same as the tenants' user of ClickHouse, which sees this tenant's rows alone. Throws a `ControlProblem` while tenants are not served; why is in the log. */
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
/** So many queries of a client run at the same time. */
const QUERIES = 4;
/** So many more wait, and no longer than `WAIT_MS`. */
const WAITING = 128;
const WAIT_MS = 10_000;
/** What one tenant may have of these. */
const OF_ONE_TENANT = { running: 2, waiting: 32 };
/** The client waits this much longer than the server, so that the server's own error arrives. */
const GRACE_MS = 2_000;

export function createReader(options: ReaderOptions): Reader {
  const operators = connectionOf(options, {
    access: options,
    ofOne: { running: QUERIES, waiting: WAITING },
  });
  const tenants = options.tenants ? tenantsOf(options, options.tenants) : null;
  const { own } = operators;
  let seen = { isReachable: false, detail: "not looked at yet" };
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;
  let isLackTold = false;

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
  }

  /** Each check starts only after the one before has ended: against a server that hangs, they would pile up. */
  function repeat(check: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void check().finally(() => {
        if (!isStopped) repeat(check);
      });
    }, LOOK_EVERY_MS).unref();
    timers.add(timer);
  }

  return {
    ...readingOver(operators, {
      forRows: {
        readonly: "2",
        max_execution_time: EVENT_TIMEOUT_MS / 1000,
        cancel_http_readonly_queries_on_client_close: 1,
        ...SAVED_SETTINGS,
        ...JSON_OUTPUT,
      },
      forSelect: (isOperators) =>
        selectSettings(isOperators ? options.queryTimeoutMs : EVENT_TIMEOUT_MS),
      forQuery: operatorSettings(options.queryTimeoutMs),
      forSaved: SAVED_SETTINGS,
      tenantId: null,
      failed: operatorsProblem,
    }),
    ofTenant(tenantId) {
      if (tenants === null) {
        if (!isLackTold)
          options.log.error("tenants.notServed", { why: NO_TENANTS_USER });
        isLackTold = true;
        throw notServed(NOT_SERVED);
      }
      return tenants.readingOf(tenantId);
    },
    reachability() {
      const lack = seen.isReachable ? grants.lack() : null;
      return lack === null ? seen : { ...seen, detail: `degraded: ${lack}` };
    },
    async start() {
      // Apart: the self-test of tenants is some forty queries, and readiness must not wait for them.
      await Promise.all([look(), tenants?.look()]);
      repeat(look);
      if (tenants !== null) repeat(tenants.look);
    },
    async stop() {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
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
  /** Null: an operator. */
  readonly tenantId: string | null;
  /** What the caller is told of the client's error. */
  readonly failed: (error: unknown, of: Failed) => ControlProblem;
}

/** What has failed: reading rows of an event, a SELECT of ours, an operator's own SQL, or a saved query. */
type Failed = "rows" | "select" | "sql" | "saved";

function readingOver(
  { own, selects, queries }: Connection,
  { forRows, forSelect, forQuery, forSaved, tenantId, failed }: Manner,
): Reading {
  const headers = tenantId === null ? {} : { [TENANT_HEADER]: tenantId };
  async function inTurn<T>(
    { turns }: Client,
    of: { readonly failed: Failed; readonly gone?: AbortSignal },
    ask: () => Promise<T>,
  ): Promise<T> {
    const { gone } = of;
    const turn: Turn = { holder: tenantId ?? "", ...(gone && { gone }) };
    try {
      return await turns.inTurn(turn, ask);
    } catch (error) {
      throw error instanceof ControlProblem ? error : failed(error, of.failed);
    }
  }
  const rows = async <Row>(
    sql: string,
    values: Record<string, unknown>,
  ): Promise<Row[]> =>
    await inTurn(own, { failed: "rows" }, () =>
      rowsNow<Row>(own, sql, {
        clickhouse_settings: forRows,
        http_headers: headers,
        query_params: values,
      }),
    );
  return {
    events: (eventId, ofTenant) =>
      rows<EventRow>(EVENTS_SQL, { eventId, tenantId: ofTenant ?? "" }),
    deliveries: (of) => rows<DeliveryRow>(DELIVERIES_SQL, { ...of }),
    attempts: (of) => rows<AttemptRow>(ATTEMPTS_SQL, { ...of }),
    async select<Row>(
      sql: string,
      values: Readonly<Record<string, unknown>>,
      isOperators = false,
    ): Promise<Row[]> {
      const client = isOperators ? queries : selects;
      return await inTurn(
        client,
        { failed: isOperators ? "sql" : "select" },
        () =>
          rowsNow<Row>(client, sql, {
            query_params: { ...values },
            clickhouse_settings: forSelect(isOperators),
            http_headers: headers,
          }),
      );
    },
    query: (sql, gone, values) =>
      inTurn(queries, { failed: values ? "saved" : "sql", gone }, async () => {
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
      }),
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
  const { log } = options;
  const connection = connectionOf(options, { access, ofOne: OF_ONE_TENANT });
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
      // Why is for operators, in the log: it names tables and addresses.
      if (check.whyNot() !== null) throw notServed(NOT_PROVEN);
      return readingOver(connection, {
        forRows: {},
        forSelect: () => ({}),
        forQuery: {},
        forSaved: {},
        tenantId,
        failed(error, of) {
          const { code = null, type = null } =
            error instanceof ClickHouseError ? error : {};
          log.warn("tenant.queryFailed", { code, type });
          return tenantsProblem(error, of);
        },
      });
    },
    close: connection.close,
  };
}

/** For the log; a tenant could do nothing with it. */
const NO_TENANTS_USER =
  "This control has no user in ClickHouse for tenants: set CLICKHOUSE_TENANT_USER and CLICKHOUSE_TENANT_PASSWORD. `npx postrider migrate --print-tenant-user` prints the statements that make it.";

const FOR_OPERATORS =
  "Operators find the reason in control's log (tenants.notServed) and what to do in docs/security.md, Tenants.";

const NOT_SERVED = `Tenants' questions are not answered here. ${FOR_OPERATORS}`;

const NOT_PROVEN = `Tenants are not served now: it is not proved that ClickHouse keeps them apart. Ask again later. ${FOR_OPERATORS}`;

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
  /** For what callers ask; our own checks do not wait. */
  readonly turns: QueryTurns;
  auth(): Pick<QueryParams, "auth">;
}

/** Three clients of one user, so that neither slow queries nor replays keep `GET /v1/events/{id}` waiting for a connection. */
interface Connection {
  readonly own: Client;
  readonly selects: Client;
  readonly queries: Client;
  close(): Promise<void>;
}

function connectionOf(
  { database, queryTimeoutMs }: ReaderOptions,
  {
    access,
    ofOne,
  }: {
    readonly access: ClickHouseAccess;
    readonly ofOne: { readonly running: number; readonly waiting: number };
  },
): Connection {
  const limits = {
    running: QUERIES,
    waiting: WAITING,
    ofOne,
    waitMs: WAIT_MS,
  };
  const own = clientOf(access, {
    database,
    timeoutMs: EVENT_TIMEOUT_MS,
    connections: QUERIES + 1, // one for our own checks
    turns: createQueryTurns(limits),
  });
  const selects = clientOf(access, {
    database,
    timeoutMs: EVENT_TIMEOUT_MS + GRACE_MS,
    connections: QUERIES,
    turns: createQueryTurns(limits),
  });
  const queries = clientOf(access, {
    database,
    timeoutMs: queryTimeoutMs + GRACE_MS,
    connections: QUERIES,
    turns: createQueryTurns(limits),
  });
  return {
    own,
    selects,
    queries,
    async close() {
      await Promise.all(
        [own, selects, queries].map(({ made }) => made.close()),
      );
    },
  };
}

function clientOf(
  options: ClickHouseAccess,
  limits: {
    readonly database: string;
    readonly timeoutMs: number;
    readonly connections: number;
    readonly turns: QueryTurns;
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
  return {
    made,
    turns: limits.turns,
    auth: () => (auth === undefined ? {} : { auth: auth() }),
  };
}

type Asked = Pick<
  QueryParams,
  "query_params" | "clickhouse_settings" | "http_headers"
>;

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

/** With ClickHouse's own words if it refused, else only that it did not answer. */
function operatorsProblem(error: unknown, of: Failed): ControlProblem {
  if (!(error instanceof ClickHouseError) || isOurFault(error))
    return unavailable(wordsOf(error), error);
  if (of === "rows" || of === "select") {
    const next = isTooMuch(error)
      ? " Ask for less, such as for a shorter time."
      : "";
    return unavailable(wordsOf(error) + next, error);
  }
  return refused(wordsOf(error), { error, isSaved: of === "saved" });
}

/** Without ClickHouse's words, which name addresses, files, users and the load of others. Each of a tenant's queries is ours: what a tenant can change of it is how much it reads. */
function tenantsProblem(error: unknown, of: Failed): ControlProblem {
  if (!(error instanceof ClickHouseError))
    return unavailable("ClickHouse does not answer. Ask again later.", error);
  if (of !== "rows" && isTooMuch(error))
    return refused(
      "The query took more time or memory than a tenant's may: ask for less, such as a shorter window of time.",
      { error, isSaved: true },
    );
  return unavailable(
    `ClickHouse refused the query (code ${error.code}), which is for the operator to look at.`,
    error,
  );
}

function refused(
  detail: string,
  of: { readonly error: ClickHouseError; readonly isSaved: boolean },
): ControlProblem {
  const { error, isSaved } = of;
  return new ControlProblem("query_failed", detail, {
    errors: [
      {
        field: fieldOf(error, isSaved),
        rule: `clickhouse_${error.code}`,
        message: error.type ?? "was refused",
      },
    ],
    cause: error,
  });
}

function unavailable(detail: string, cause: unknown): ControlProblem {
  return new ControlProblem("clickhouse_unavailable", detail, {
    headers: { "retry-after": "1" },
    cause,
  });
}

/** What of the request ClickHouse's refusal is about: of a saved query its window, where that is too much. */
function fieldOf(error: ClickHouseError, isSaved: boolean): string {
  if (!isSaved) return "sql";
  return isTooMuch(error) ? "since" : "name";
}

/** 159 time, 241 memory; 158 rows, 307 bytes and 160 speed, for which a profile may have limits. */
function isTooMuch(error: ClickHouseError): boolean {
  return ["158", "159", "160", "241", "307"].includes(error.code);
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
