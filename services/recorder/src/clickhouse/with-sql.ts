/** For the modes of the program that ask ClickHouse once and end: reads the configuration, connects, and says what went wrong. */
import { clickhouseAccess, ConfigError, createLog } from "@postrider/runtime";
import type { Env } from "@postrider/runtime";
import { readMigrateConfig } from "../config.ts";
import { createWriter, type Writer } from "./writer.ts";

export interface Say {
  out(line: string): void;
  err(line: string): void;
}

/** What the database has is not what was expected: nothing was changed. */
export class RefusedError extends Error {
  /** What to do, where the message does not say it. */
  readonly next: string | null;

  constructor(message: string, next: string | null = null) {
    super(message);
    this.next = next;
  }
}

/** These modes speak by themselves. */
const QUIET = { service: "recorder", level: "silent" } as const;

/** Resolves to the exit code; what went wrong was said. `requestTimeoutMs`: how long an answer is waited for. */
export async function withSql(
  say: Say,
  env: Env | undefined,
  use: (
    sql: Writer,
    target: { readonly database: string; readonly cluster: string | null },
  ) => Promise<void>,
  requestTimeoutMs?: number,
): Promise<number> {
  const config = configOr(say, () => readMigrateConfig(env));
  if (config === null) return 2;
  // Not connected to the target database, which may not exist yet; the migrations name it themselves.
  const access = clickhouseAccess(config, createLog(QUIET));
  const sql = createWriter({
    ...access,
    database: "default",
    ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
  });
  try {
    await use(sql, {
      database: config.clickhouseDatabase,
      cluster: config.clickhouseCluster,
    });
    return 0;
  } catch (error) {
    return explain(error, say.err);
  } finally {
    await sql.close();
  }
}

/** Null after every problem was said. */
export function configOr<T>(say: Say, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) say.err(problem.message);
    return null;
  }
}

/** The last line says what to do next, if that is known. */
function explain(error: unknown, err: (line: string) => void): number {
  if (error instanceof RefusedError) {
    err(`refused: ${error.message}`);
    if (error.next !== null) err(`next: ${error.next}`);
    return 5;
  }
  const { code, message } = error as { code?: string; message?: string };
  const isServers = code !== undefined && /^\d+$/.test(code);
  const isNetwork =
    !isServers && (code !== undefined || message === "Timeout error.");
  err(
    isNetwork
      ? `ClickHouse cannot be reached: ${code ?? ""} ${message ?? ""}`.trim()
      : `failed: ${isServers ? `ClickHouse ${code}: ` : ""}${message ?? String(error)}`,
  );
  const next = nextAfter(code);
  if (next !== null) err(`next: ${next}`);
  return isNetwork ? 3 : 1;
}

/** By ClickHouse's code, or that of Node or OpenSSL. */
function nextAfter(code: string | undefined): string | null {
  if (code === undefined) return null;
  // No such user, a password that is missing or wrong.
  if (["192", "193", "194", "516"].includes(code))
    return "Check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or the user in CLICKHOUSE_URL.";
  if (code === "497")
    return "Give this user the grants that docs/security.md lists.";
  if (/CERT|SIGNED|^UNABLE_TO/.test(code))
    return "Is CLICKHOUSE_TLS_CA the authority of this certificate, and is the host of CLICKHOUSE_URL in it? See docs/security.md";
  if (/^EPROTO$|SSL/.test(code))
    return "CLICKHOUSE_URL is https: does this port speak TLS?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "Correct the host of CLICKHOUSE_URL, or this machine's DNS.";
  return null;
}
