/** The only place that writes to ClickHouse. */
import { addAbortSignal, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type {
  ClickHouseClient,
  ClickHouseSettings,
  QueryParams,
} from "@clickhouse/client";
import type { BatchTarget } from "@postrider/messaging";
import type { ClickHouseAccess } from "@postrider/runtime";
import type { Row, Table } from "../columns.ts";
import { judgeInsertError } from "./insert-errors.ts";
import { mendInsert } from "./mend-insert.ts";
import type { MendSql } from "./mend-insert.ts";
import { encodeBlock } from "../native/block.ts";

export interface WriterOptions extends ClickHouseAccess {
  readonly database: string;
  /** The tables have replicas (docs/adr/0032). */
  readonly isReplicated?: boolean;
  /** How long an answer is waited for (ms). Default 60 s. */
  readonly requestTimeoutMs?: number;
}

export interface Writer {
  /** A table as the target of batches. */
  tableOf<T>(table: Table<T>): BatchTarget<Row<T>>;
  /** Runs one statement. Rejects with ClickHouse's error. `queryId` names it in `system.processes`. */
  command(statement: string, queryId?: string): Promise<void>;
  /** The rows of a query, as objects. */
  query<R>(
    query: string,
    params?: Readonly<Record<string, unknown>>,
    queryId?: string,
  ): Promise<R[]>;
  /** The one value that a statement has, as text; for statements that take no FORMAT. */
  valueOf(statement: string): Promise<string>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 4;
/** The client would log failed requests to stderr, together with the rows that they quote; those are other people's events. */
const NO_LOG = { level: ClickHouseLogLevel.OFF };

/**
 * Sent with every insert, because defaults differ between versions of ClickHouse and three of them lose data: asynchronous inserts
 * lose the answer for the token, skipping unknown fields silently drops a misspelt column, and NULL silently becomes a default. Our
 * types are converted to the table's, so that an operator may alter a column. One insert is one block, in one piece. A batch whose rows
 * are of many days makes as many parts, instead of failing (code 252) for ever.
 */
const INSERT_SETTINGS: ClickHouseSettings = {
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  async_insert: 0,
  wait_end_of_query: 1,
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  input_format_native_allow_types_conversion: 1,
  max_insert_block_size: "1048449",
  max_partitions_per_insert_block: "0",
};

/**
 * Of replicated tables: an insert is answered once a majority of the replicas has it, or a replica that dies takes with it what Kafka is told
 * is recorded. Shorter than our own wait for the answer, so that the server's error says that the replicas are behind (319, tried again).
 */
const QUORUM_SETTINGS = {
  insert_quorum: "auto",
  insert_quorum_timeout: 50_000,
} as const;

export function createWriter(options: WriterOptions): Writer {
  const made = createClient({
    url: options.url,
    database: options.database,
    application: "postrider-recorder",
    request_timeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    max_open_connections: MAX_CONNECTIONS,
    ...(options.agent && { http_agent: options.agent(MAX_CONNECTIONS) }),
    // Shorter than the idle time-outs of servers and load balancers. A socket that they have closed unnoticed looks like a request without an answer.
    keep_alive: { enabled: true, idle_socket_ttl: 1_500 },
    log: NO_LOG,
  });
  const client: Client = {
    made,
    auth: () => authOf(options),
    isReplicated: options.isReplicated === true,
  };
  return {
    tableOf: (table) => targetOf(client, table),
    command: (statement, queryId) =>
      command(
        client,
        statement,
        queryId === undefined ? {} : { query_id: queryId },
      ),
    query: <R>(
      query: string,
      params: Readonly<Record<string, unknown>> = {},
      queryId?: string,
    ) =>
      rowsOf<R>(client, {
        query,
        query_params: params,
        ...(queryId !== undefined && { query_id: queryId }),
      }),
    async valueOf(query) {
      const { stream } = await made.exec({ ...client.auth(), query });
      return (await text(stream)).trim();
    },
    close: () => made.close(),
  };
}

/** The client, and what each request says of who we are: a password may have changed since the last one. */
interface Client {
  readonly made: ClickHouseClient;
  readonly isReplicated: boolean;
  auth(): Pick<QueryParams, "auth">;
}

function authOf({ auth }: ClickHouseAccess): Pick<QueryParams, "auth"> {
  return auth === undefined ? {} : { auth: auth() };
}

function targetOf<T>(client: Client, table: Table<T>): BatchTarget<Row<T>> {
  return {
    table: table.name,
    async insert(rows, token, signal) {
      try {
        await insertInto(client, { table, rows, token }, signal);
        return { kind: "inserted" };
      } catch (error) {
        return judgeInsertError(error);
      }
    },
    async mend(rows, token, signal) {
      const sql: MendSql<T> = {
        command: (statement) =>
          command(client, statement, { abort_signal: signal }),
        query: (query) => rowsOf(client, { query, abort_signal: signal }),
        insert: (name, missing) => {
          const staging = { ...table, name };
          return insertInto(
            client,
            { table: staging, rows: missing, token },
            signal,
          );
        },
      };
      try {
        // Rows that another replica was given are not missing.
        if (client.isReplicated)
          await sql.command(`SYSTEM SYNC REPLICA ${table.name}`);
        let mended = 0;
        for (const each of byLogPartition(rows))
          mended += await mendInsert(sql, table, each);
        return { kind: "mended", rows: mended };
      } catch (error) {
        const { detail, ...fault } = judgeInsertError(error);
        // The table accepted these same rows before, so none of their values can be bad.
        return { needsOperator: false, ...fault, kind: "unavailable", detail };
      }
    },
  };
}

async function insertInto<T>(
  { made, auth, isReplicated }: Client,
  insert: {
    readonly table: Table<T>;
    readonly rows: readonly Row<T>[];
    readonly token: string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { name, columns } = insert.table;
  const names = columns.map((column) => column.name).join(", ");
  const { stream } = await made.exec({
    ...auth(),
    query: `INSERT INTO ${name} (${names}) FORMAT Native`,
    values: Readable.from([encodeBlock(columns, insert.rows)], {
      objectMode: false,
    }),
    abort_signal: signal,
    clickhouse_settings: {
      ...INSERT_SETTINGS,
      ...(isReplicated && QUORUM_SETTINGS),
      insert_deduplication_token: insert.token,
    },
  });
  // The answer is empty, and whole once it has ended. The client looks at the signal only until the answer begins.
  await text(addAbortSignal(signal, stream));
}

/** The rows of each log partition, in their order. */
function byLogPartition<T>(rows: readonly Row<T>[]): Iterable<Row<T>[]> {
  return Map.groupBy(rows, ({ raw }) => raw.partition).values();
}

async function command(
  { made, auth }: Client,
  query: string,
  more: Pick<QueryParams, "abort_signal" | "query_id"> = {},
): Promise<void> {
  await made.command({ ...auth(), query, ...more });
}

async function rowsOf<R>(
  { made, auth }: Client,
  query: QueryParams,
): Promise<R[]> {
  const answer = await made.query({
    ...auth(),
    ...query,
    format: "JSONEachRow",
  });
  return await answer.json<R>();
}
