/**
 * The only file of control that imports @clickhouse/client. It has three clients, so that neither an operator's slow queries nor
 * replays keep `GET /v1/events/{id}` waiting for a connection. Every query is read-only, and none is retried: a person is waiting.
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
  type ClickHouseAccess,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import type { AttemptRow, DeliveryRow, EventRow } from "./event-view.ts";
import type { QueryValues } from "../cookbook/read-parameters.ts";
import { ControlProblem } from "../http/problem.ts";
import { readCapped, type QueryAnswer } from "./query-answer.ts";

export interface Reader extends Lifecycle {
  /** All rows of the event, oldest first; `tenantId` null: of every tenant. */
  events(eventId: string, tenantId: string | null): Promise<EventRow[]>;
  /** At most `MAX_DELIVERIES + 1` deliveries of one event that was received between the two times. */
  deliveries(of: EventKey): Promise<DeliveryRow[]>;
  /** At most `MAX_ATTEMPTS + 1` rows, including deferrals. */
  attempts(of: EventKey): Promise<AttemptRow[]>;
  /**
   * Runs a SELECT of ours over every tenant's rows; numbers come as numbers. With `isOperators` an operator's SQL is a part of it, which
   * `judgeQuery` must have allowed: it may run as long as the operator's own queries, and what ClickHouse says against it is the
   * problem `query_failed`. Otherwise every failure is `clickhouse_unavailable`.
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
  readonly log: Log;
}

export const MAX_DELIVERIES = 1_000;
export const MAX_ATTEMPTS = 20_000;
export const MAX_QUERY_ROWS = 10_000;
export const MAX_QUERY_BYTES = 8 * 1024 * 1024;
/** ClickHouse's own cap on a result, counted in its own format, which is often larger than the text. So it ends only results far beyond the text's cap. */
const MAX_RESULT_BYTES = 8 * MAX_QUERY_BYTES;

const LOOK_EVERY_MS = 5_000;
const EVENT_TIMEOUT_MS = 10_000;
/** The client waits this much longer than the server, so that the server's own error arrives. */
const GRACE_MS = 2_000;

export function createReader(options: ReaderOptions): Reader {
  const own = clientOf(options, {
    timeoutMs: EVENT_TIMEOUT_MS,
    connections: 4,
  });
  const selects = clientOf(options, {
    timeoutMs: EVENT_TIMEOUT_MS + GRACE_MS,
    connections: 4,
  });
  const operators = clientOf(options, {
    timeoutMs: options.queryTimeoutMs + GRACE_MS,
    connections: 4,
  });
  let seen = { isReachable: false, detail: "not looked at yet" };
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const grants = createGrantsCheck({
    async ask(query) {
      const { stream } = await own.made.exec({ ...own.auth(), query });
      return (await text(stream)).trim();
    },
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
  function lookAgain(): void {
    void look().finally(() => {
      if (!isStopped) timer = setTimeout(lookAgain, LOOK_EVERY_MS).unref();
    });
  }

  return {
    events: (eventId, tenantId) =>
      rows<EventRow>(own, EVENTS_SQL, { eventId, tenantId: tenantId ?? "" }),
    deliveries: (of) => rows<DeliveryRow>(own, DELIVERIES_SQL, { ...of }),
    attempts: (of) => rows<AttemptRow>(own, ATTEMPTS_SQL, { ...of }),
    async select<Row>(
      sql: string,
      values: Readonly<Record<string, unknown>>,
      isOperators = false,
    ): Promise<Row[]> {
      const { made, auth } = isOperators ? operators : selects;
      try {
        const result = await made.query({
          ...auth(),
          query: sql,
          query_params: { ...values },
          format: "JSONEachRow",
          clickhouse_settings: selectSettings(
            isOperators ? options.queryTimeoutMs : EVENT_TIMEOUT_MS,
          ),
        });
        return await result.json<Row>();
      } catch (error) {
        const refused = isOperators ? "query_failed" : "clickhouse_unavailable";
        throw problemOf(error, refused);
      }
    },
    async query(sql, gone, values) {
      try {
        const result = await operators.made.query({
          ...operators.auth(),
          query: sql,
          ...(values && { query_params: withOneMoreRow(values) }),
          abort_signal: gone,
          format: "JSONCompactEachRowWithNamesAndTypes",
          clickhouse_settings: {
            ...operatorSettings(options.queryTimeoutMs),
            ...(values && SAVED_SETTINGS),
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
      await Promise.all(
        [own, selects, operators].map(({ made }) => made.close()),
      );
    },
  };
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
    await rowsNow(client, "SELECT 1", {});
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

function clientOf(
  options: ReaderOptions,
  limits: { readonly timeoutMs: number; readonly connections: number },
): Client {
  const { auth, agent } = options;
  const made = createClient({
    url: options.url,
    database: options.database,
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

/** As `rowsNow`, but rejects with a `ControlProblem`. */
async function rows<Row>(
  client: Client,
  query: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Row[]> {
  try {
    return await rowsNow<Row>(client, query, parameters);
  } catch (error) {
    throw problemOf(error, "clickhouse_unavailable");
  }
}

/** Rejects with the client's error. */
async function rowsNow<Row>(
  { made, auth }: Client,
  query: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Row[]> {
  const result = await made.query({
    ...auth(),
    query,
    query_params: { ...parameters },
    format: "JSONEachRow",
    clickhouse_settings: { readonly: "2", ...JSON_OUTPUT },
  });
  return await result.json<Row>();
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
  const next =
    isAnswer && isTooMuch(error)
      ? " Ask for less, such as for a shorter time."
      : "";
  return new ControlProblem("clickhouse_unavailable", wordsOf(error) + next, {
    headers: { "retry-after": "1" },
    cause: error,
  });
}

/** What of the request ClickHouse's refusal is about: of a saved query its window, where that is too much. */
function fieldOf(error: ClickHouseError, isSaved: boolean): string {
  if (!isSaved) return "sql";
  return isTooMuch(error) ? "since" : "name";
}

/** 159 time, 241 memory. */
function isTooMuch({ code }: ClickHouseError): boolean {
  return ["159", "241"].includes(code);
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

const EVENTS_SQL = `
SELECT tenant_id, event_id, event_type, decision, reason,
  toUnixTimestamp64Milli(occurred_at) AS occurred_at,
  toUnixTimestamp64Milli(e.received_at) AS received_at
FROM events AS e
WHERE event_id = {eventId:String} AND ({tenantId:String} = '' OR tenant_id = {tenantId:String}) AND part = 0
ORDER BY e.received_at
LIMIT 1000`;

const RECEIVED = `fromUnixTimestamp64Milli({receivedFrom:Int64}) AND fromUnixTimestamp64Milli({receivedTo:Int64})`;

/** All deliveries of an event have the event's received_at, which is in the table's key: so FINAL reads almost nothing. */
const DELIVERIES_SQL = `
SELECT delivery_id, endpoint_id, status, dead_letter_reason, version,
  toUnixTimestamp64Milli(d.next_attempt_at) AS next_attempt_at
FROM deliveries AS d FINAL
WHERE tenant_id = {tenantId:String} AND received_at BETWEEN ${RECEIVED} AND event_id = {eventId:String}
ORDER BY received_at, delivery_id
LIMIT ${MAX_DELIVERIES + 1}
SETTINGS do_not_merge_across_partitions_select_final = 1`;

/** A row inserted twice counts once, merged or not. An attempt begins after its event was received; the day allows for skewed clocks. */
const ATTEMPTS_SQL = `
SELECT delivery_id, attempt_number, step, outcome, status_code, duration_ms, trigger, error, status, deferral_reason, dead_letter_reason,
  toUnixTimestamp64Milli(a.started_at) AS started_at,
  toUnixTimestamp64Milli(a.next_attempt_at) AS next_attempt_at
FROM attempts AS a
WHERE tenant_id = {tenantId:String} AND event_id = {eventId:String}
  AND a.started_at >= fromUnixTimestamp64Milli({receivedFrom:Int64}) - INTERVAL 1 DAY
ORDER BY a.started_at
LIMIT 1 BY delivery_id, attempt_number, step, a.started_at
LIMIT ${MAX_ATTEMPTS + 1}`;
