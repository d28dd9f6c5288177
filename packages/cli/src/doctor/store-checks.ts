/** ClickHouse and the schema registry. */
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { checkTables, type TableState } from "../processes/migrate.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";

const WITHIN_MS = 5_000;
/** A clock that is further away than this is a warning: waits in the tiers and the times in tables depend on it. */
const CLOCK_MS = 1_000;

export async function clickhouseChecks(): Promise<Finding[]> {
  const check = "clickhouse";
  let state: TableState;
  try {
    state = await checkTables(findAddresses().clickhouse());
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const next = error.next ?? "Check CLICKHOUSE_URL.";
    return [failed(check, error.why ?? error.message, next, error.exitCode)];
  }
  return [
    fine(check, `version ${state.version}`),
    state.isOk
      ? fine("tables", state.detail)
      : failed("tables", state.detail, "npx postrider migrate"),
    judgeClock(state.aheadMs),
  ];
}

/** `aheadMs`: how far ClickHouse's clock is ahead of this machine's. */
export function judgeClock(aheadMs: number): Finding {
  const check = "clock";
  const isAhead = aheadMs > 0;
  return Math.abs(aheadMs) <= CLOCK_MS
    ? fine(check, "ClickHouse's is within a second of this machine's")
    : warning(
        check,
        `ClickHouse's is ${Math.abs(aheadMs)} ms ${isAhead ? "ahead of" : "behind"} this machine's`,
        "Synchronise the clocks of all machines (NTP).",
      );
}

export async function registryChecks(): Promise<Finding[]> {
  const { schemaRegistryUrl: url } = findAddresses().kafka();
  if (url === null) return [];
  const check = "schema registry";
  try {
    const answer = await fetch(`${url}/subjects`, {
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (answer.ok) return [fine(check, "it answers")];
    const detail = `${url} answered ${answer.status}`;
    return [failed(check, detail, "Check SCHEMA_REGISTRY_URL.")];
  } catch (error) {
    const detail = `${url}: ${reasonOf(error)}`;
    const next = "Is it running? Check SCHEMA_REGISTRY_URL.";
    return [failed(check, detail, next, EXIT.unreachable)];
  }
}
