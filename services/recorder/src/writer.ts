/** The only place that writes to ClickHouse. */
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import type { BatchTarget } from "@postrider/messaging";
import type { Column, Row } from "./columns.ts";
import { judgeInsertError } from "./insert-errors.ts";

export interface WriterOptions {
  /** May carry user and password. */
  readonly url: string;
  readonly database: string;
}

export interface Writer {
  /** A table as a target of batches; the same columns, in the same order, that its rows were made of. */
  tableOf<T>(table: string, columns: readonly Column<T>[]): BatchTarget<Row>;
  /** Runs one statement. Rejects with what ClickHouse said. */
  command(statement: string): Promise<void>;
  /** The rows of a query, as objects. */
  query<R>(
    query: string,
    params?: Readonly<Record<string, unknown>>,
  ): Promise<R[]>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** The client logs failed requests to stderr, with the rows they quote: events are other people's. */
const NO_LOG = { level: ClickHouseLogLevel.OFF };

/**
 * Sent with every insert, because the defaults differ between versions and two of them lose data: asynchronous inserts lose the token's
 * answer, and skipping unknown fields drops a misspelt column. One insert is one block: 5,000 rows are far below its size, and they are
 * parsed in one piece. A batch of many days makes as many parts instead of failing (252) for ever.
 */
const INSERT_SETTINGS: ClickHouseSettings = {
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  async_insert: 0,
  wait_end_of_query: 1,
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  input_format_parallel_parsing: 0,
  max_insert_block_size: "1048449",
  max_partitions_per_insert_block: "0",
  date_time_input_format: "best_effort",
};

export function createWriter({ url, database }: WriterOptions): Writer {
  const client = createClient({
    url,
    database,
    application: "postrider-recorder",
    request_timeout: REQUEST_TIMEOUT_MS,
    max_open_connections: 4,
    // Below the idle time of servers and load balancers: a socket they closed in silence looks like an answer that never came.
    keep_alive: { enabled: true, idle_socket_ttl: 1_500 },
    log: NO_LOG,
  });
  return {
    tableOf: (table, columns) => targetOf(client, table, columns),
    async command(statement) {
      await client.command({ query: statement });
    },
    async query<R>(
      query: string,
      params: Readonly<Record<string, unknown>> = {},
    ) {
      const answer = await client.query({
        query,
        query_params: params,
        format: "JSONEachRow",
      });
      return await answer.json<R>();
    },
    close: () => client.close(),
  };
}

function targetOf<T>(
  client: ClickHouseClient,
  table: string,
  columns: readonly Column<T>[],
): BatchTarget<Row> {
  const [first, ...others] = columns.map(([name]) => name);
  const names: [string, ...string[]] = [first!, ...others]; // no table is without columns
  return {
    table,
    async insert(rows, token, signal) {
      try {
        await client.insert({
          table,
          columns: names,
          values: rows,
          format: "JSONCompactEachRow",
          abort_signal: signal,
          clickhouse_settings: {
            ...INSERT_SETTINGS,
            insert_deduplication_token: token,
          },
        });
        return { kind: "inserted" };
      } catch (error) {
        return judgeInsertError(error);
      }
    },
  };
}
