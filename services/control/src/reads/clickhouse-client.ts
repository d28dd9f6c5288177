/** The only file of control that imports @clickhouse/client: the connections of one user, and how a question goes over them. */
import { text } from "node:stream/consumers";
import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
  type QueryParams,
} from "@clickhouse/client";
import type { ClickHouseAccess } from "@postrider/runtime";
import { createQueryTurns, type QueryTurns } from "./query-turns.ts";

export { ClickHouseError, type ClickHouseSettings };

/** How long a question for rows, or a SELECT of ours, may take, ms. */
export const EVENT_TIMEOUT_MS = 10_000;
/** So many queries of a client run at the same time. */
export const QUERIES = 4;
/** So many more wait, and no longer than `WAIT_MS`. */
export const WAITING = 128;
const WAIT_MS = 10_000;
/** The client waits this much longer than the server, so that the server's own error arrives. */
const GRACE_MS = 2_000;

/** The client, and what each request says of who we are: a password may have changed since the last one. */
export interface Client {
  readonly made: ClickHouseClient;
  /** For what callers ask; our own checks do not wait. */
  readonly turns: QueryTurns;
  auth(): Pick<QueryParams, "auth">;
}

/** Three clients of one user, so that neither slow queries nor replays keep `GET /v1/events/{id}` waiting for a connection. */
export interface Connection {
  readonly own: Client;
  readonly selects: Client;
  readonly queries: Client;
  close(): Promise<void>;
}

export function connectionOf(
  {
    database,
    queryTimeoutMs,
  }: { readonly database: string; readonly queryTimeoutMs: number },
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

/**
 * Asks again, once and at once, where the connection was closed before anything was answered. ClickHouse closes one that was idle for
 * its `keep_alive_timeout`, and on a busy machine it may do so as the next question is sent, however early the client closes its own.
 * Nothing else is asked again, because a person is waiting. Every question here only reads, so it may be asked twice.
 */
export async function onceMore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown };
    if (code !== "ECONNRESET") throw error;
    return await ask();
  }
}

/** Rejects with the client's error. */
export async function rowsNow<Row>(
  { made, auth }: Client,
  query: string,
  asked: Asked,
): Promise<Row[]> {
  const result = await onceMore(() =>
    made.query({ ...auth(), query, ...asked, format: "JSONEachRow" }),
  );
  return await result.json<Row>();
}

/** The answer as ClickHouse writes it. */
export async function textOf(
  { made, auth }: Client,
  asked: Omit<Asked, "query_params"> & { readonly query: string },
): Promise<string> {
  const { stream } = await onceMore(() => made.exec({ ...auth(), ...asked }));
  return (await text(stream)).trim();
}
