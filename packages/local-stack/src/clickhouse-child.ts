/**
 * The child process that is a ClickHouse server. The engine runs on a thread of its own, so the event loop stays free to
 * notice SIGTERM and the parent's end. It ends by sending itself SIGKILL, because the engine's native threads block any
 * other exit.
 */
import { DataType, load, open } from "ffi-rs";

const GRACE_MS = 4000;

const [library, baseUrl, ...engineArgs] = process.argv.slice(2);
if (library === undefined || baseUrl === undefined)
  throw new Error("usage: clickhouse-child LIBRARY URL ARGS");
const url = baseUrl;

function leave(why: string): void {
  process.stderr.write(`clickhouse-child: ${why}\n`);
  process.kill(process.pid, "SIGKILL");
}

let isStopping = false;

/** Ends the query that keeps the engine running. The engine then closes its databases and returns. */
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  setTimeout(() => leave("stopped by force"), GRACE_MS);
  try {
    await fetch(url, {
      method: "POST",
      headers: { connection: "close" },
      body: "KILL QUERY WHERE query LIKE '%sleepEachRow(1)%' AND query NOT LIKE 'KILL%' SYNC",
    });
  } catch {
    // The engine closes the connection while it ends, so an error is expected. If it does not end, the timer above does it.
  }
}

process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
// The parent is gone, so nobody will use the data: leave at once, without closing the databases. Committed data survive a kill.
process.on("disconnect", () => leave("the parent is gone"));

open({ library: "clickhouse", path: library });
load({
  library: "clickhouse",
  funcName: "chdb_query_cmdline",
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [engineArgs.length, engineArgs],
  runInNewThread: true,
}).then(
  () => leave("the engine ended"),
  (error: unknown) => leave(String(error)),
);
