/** What a caller is told where ClickHouse does not answer, or refuses. */
import { ControlProblem } from "../http/problem.ts";
import { ClickHouseError } from "./clickhouse-client.ts";

/** What has failed: reading rows of an event, a SELECT of ours, an operator's own SQL, or a saved query. */
export type Failed = "rows" | "select" | "sql" | "saved";

/** With ClickHouse's own words if it refused, else only that it did not answer. */
export function operatorsProblem(error: unknown, of: Failed): ControlProblem {
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
export function tenantsProblem(error: unknown, of: Failed): ControlProblem {
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

export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ClickHouseError)
    return `${error.message.trim()} (code ${error.code})`;
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return `ClickHouse does not answer: ${error.message || "no connection"}${code}`;
}
