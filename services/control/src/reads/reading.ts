/** What may be asked of ClickHouse, and how it is asked over one user's connections. Every query is read-only. */
import { TENANT_HEADER } from "@postrider/runtime";
import type { QueryValues } from "../cookbook/read-parameters.ts";
import { ControlProblem } from "../http/problem.ts";
import {
  onceMore,
  rowsNow,
  type ClickHouseSettings,
  type Client,
  type Connection,
} from "./clickhouse-client.ts";
import { ATTEMPTS_SQL, DELIVERIES_SQL, EVENTS_SQL } from "./event-sql.ts";
import type { AttemptRow, CountedDeliveryRow, EventRow } from "./event-view.ts";
import { readCapped, type QueryAnswer } from "./query-answer.ts";
import type { Turn } from "./query-turns.ts";
import type { Failed } from "./reader-problems.ts";
import { MAX_QUERY_BYTES, MAX_QUERY_ROWS } from "./reader-settings.ts";

/** What may be asked. Whose rows are seen is the caller's affair: an operator's are all, a tenant's its own. */
export interface Reading {
  /** All rows of the event, oldest first; `tenantId` null: of every tenant. */
  events(eventId: string, tenantId: string | null): Promise<EventRow[]>;
  /** At most `MAX_DELIVERIES + 1` deliveries of one event that was received between the two times. */
  deliveries(of: EventKey): Promise<CountedDeliveryRow[]>;
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

export interface EventKey {
  readonly tenantId: string;
  readonly eventId: string;
  readonly receivedFrom: number;
  readonly receivedTo: number;
}

/** How one kind of caller asks. */
export interface Manner {
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

export function readingOver(
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
    deliveries: (of) => rows<CountedDeliveryRow>(DELIVERIES_SQL, { ...of }),
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
        const result = await onceMore(() =>
          queries.made.query({
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
          }),
        );
        return await readCapped(result.stream(), {
          maxRows: Number(values?.["limit"] ?? MAX_QUERY_ROWS),
          maxBytes: MAX_QUERY_BYTES,
        });
      }),
  };
}

/** A row beyond the limit shows that there are more. It is not in the answer. */
function withOneMoreRow(values: QueryValues): QueryValues {
  const { limit } = values;
  return typeof limit === "number" ? { ...values, limit: limit + 1 } : values;
}
