/** ClickHouse and the schema registry. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { registryAccess, type RegistryAccess } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { quietLog } from "../kafka.ts";
import { checkTables, type TableState } from "../processes/migrate.ts";
import type { ServiceName } from "../processes/service-process.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";
import {
  clickhouseServerCheck,
  registryServerCheck,
  type ClickHouseServer,
} from "./server-checks.ts";

const WITHIN_MS = 5_000;
/**
 * The oldest ClickHouse that keeps each record once: since 24.7 a repeated insert is looked up in each view's table by its token, too
 * (ClickHouse's pull request 61601). Before, what a view lacked after a crash stayed missing. The migrations need 23.12.
 */
const LEAST_CLICKHOUSE = [24, 7] as const;
/** A clock that is further away than this is a warning: waits in the tiers and the times in tables depend on it. */
const CLOCK_MS = 1_000;

/** With `as` also whether the user has this service's grants. */
export async function clickhouseChecks(
  as: ServiceName | null,
  server: ClickHouseServer,
): Promise<Finding[]> {
  const reached = await clickhouseServerCheck(server);
  if (reached.state === "failed") return [reached];
  const check = "clickhouse";
  let state: TableState;
  try {
    state = await checkTables(findAddresses().clickhouse());
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const next = error.next ?? "Check CLICKHOUSE_URL.";
    const detail = error.why ?? error.message;
    return [reached, failed(check, detail, next, error.exitCode)];
  }
  return [
    reached,
    judgeVersion(state.version),
    state.isOk
      ? fine("tables", state.detail)
      : failed("tables", state.detail, "npx postrider migrate"),
    judgeClock("ClickHouse's", state.aheadMs),
    ...(as === "recorder" || as === "control"
      ? judgeGrants(as, state.missing[as])
      : []),
  ];
}

/** `version`: as `SELECT version()` tells it, such as 26.7.2.1. */
export function judgeVersion(version: string): Finding {
  const check = "clickhouse";
  const detail = `version ${version}, signed in`;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = LEAST_CLICKHOUSE;
  const isTooOld =
    major < leastMajor || (major === leastMajor && minor < leastMinor);
  return isTooOld
    ? failed(
        check,
        `${detail}: too old to keep each record once`,
        `Upgrade ClickHouse to ${LEAST_CLICKHOUSE.join(".")} or newer.`,
      )
    : fine(check, detail);
}

function judgeGrants(
  service: "recorder" | "control",
  missing: readonly string[] | null,
): Finding[] {
  const check = `grants of ${service}`;
  if (missing === null)
    return [
      warning(
        check,
        "this ClickHouse does not tell: it is older than CHECK GRANT",
        "Compare SHOW GRANTS with docs/security.md.",
      ),
    ];
  return missing.length === 0
    ? [fine(check, "none is missing")]
    : missing.map((statement) => failed(check, "one is missing", statement));
}

/** `aheadMs`: how far its clock is ahead of this machine's. */
export function judgeClock(whose: string, aheadMs: number): Finding {
  const check = "clock";
  const isAhead = aheadMs > 0;
  return Math.abs(aheadMs) <= CLOCK_MS
    ? fine(check, `${whose} is within a second of this machine's`)
    : warning(
        check,
        `${whose} is ${Math.abs(aheadMs)} ms ${isAhead ? "ahead of" : "behind"} this machine's`,
        "Synchronise the clocks of all machines (NTP).",
      );
}

export async function registryChecks(): Promise<Finding[]> {
  const config = findAddresses().registry();
  const access = registryAccess(config, quietLog());
  if (access === null) return [];
  const reached = await registryServerCheck(access.url, config);
  return reached.state === "failed"
    ? [reached]
    : [reached, await askRegistry(access)];
}

async function askRegistry(access: RegistryAccess): Promise<Finding> {
  const check = "schema registry";
  try {
    const status = await statusOf(`${access.url}/subjects`, access);
    if (status === 200) return fine(check, "it answers, signed in");
    const next =
      status === 401 || status === 403
        ? "Check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or SCHEMA_REGISTRY_TOKEN. See docs/security.md"
        : "Check SCHEMA_REGISTRY_URL.";
    return failed(check, `${access.url} answered ${status}`, next);
  } catch (error) {
    const detail = `${access.url}: ${reasonOf(error)}`;
    const next = "Is it running? Check SCHEMA_REGISTRY_URL.";
    return failed(check, detail, next, EXIT.unreachable);
  }
}

/** By node:http, because `fetch` takes neither this agent nor authorities. */
async function statusOf(url: string, access: RegistryAccess): Promise<number> {
  const authorization = access.authorization();
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return await new Promise((resolve, reject) => {
    request(url, {
      agent: access.agent,
      headers: { ...(authorization !== null && { authorization }) },
      signal: AbortSignal.timeout(WITHIN_MS),
    })
      .once("error", reject)
      .once("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .end();
  });
}
