/**
 * Which SQL an operator may send through the API. This is the second wall: ClickHouse itself runs the query with
 * `readonly=1`, so it refuses writes and changed settings by its own parser. What `readonly` does not refuse is here:
 * several statements, an output format of one's own, and functions that read files, other servers, or the index of
 * tables past a row policy.
 */
import { tokenize, type SqlToken } from "./sql-tokens.ts";

export type QueryJudgement =
  /** `sql` is the statement without a closing semicolon. */
  | { readonly isAllowed: true; readonly sql: string }
  | { readonly isAllowed: false; readonly rule: string; readonly message: string };

export const MAX_SQL_CHARACTERS = 100_000;

const STATEMENTS = new Set(["select", "with", "show", "describe", "desc", "exists"]);

/**
 * Table functions that stay inside the server and read no table's storage past its grants. Every other table function
 * is refused by name; a test compares both lists with the engine's own `system.table_functions`.
 */
export const HARMLESS_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "format",
  "fuzzquery",
  "generate_series",
  "generateseries",
  "generaterandom",
  "merge",
  "null",
  "numbers",
  "numbers_mt",
  "primes",
  "values",
  "view",
  "viewifpermitted",
  "viewexplain",
  "zeros",
  "zeros_mt",
]);

/** Prefixes, so that `urlCluster`, `s3Cluster`, `icebergS3` and their kin to come are refused as well. */
const REFUSED_PREFIXES = [
  "arrowflight",
  "azureblobstorage",
  "cluster",
  "cosn",
  "deltalake",
  "filesystem",
  "gcs",
  "hdfs",
  "hudi",
  "iceberg",
  "jdbc",
  "mergetree",
  "mongodb",
  "mysql",
  "odbc",
  "oss",
  "paimon",
  "postgresql",
  "prometheusquery",
  "remote",
  "s3",
  "timeseries",
  "url",
  "ytsaurus",
];

/** Exactly these: `file` reads files as table and as scalar; `urlencode`-like scalars are let through below. */
const REFUSED_NAMES = new Set([
  "catboostevaluate",
  "dictionary",
  "executable",
  "executablepool",
  "file",
  "filecluster",
  "fuzzjson",
  "getclienthttpheader",
  "input",
  "loop",
  "python",
  "redis",
  "sqlite",
]);

/** Scalars about URLs that only look like the table function. */
const HARMLESS_SCALARS = /^url(hierarchy|pathhierarchy)$/;

/** Judges one text. Never throws; a text that cannot be read for certain is refused. */
export function judgeQuery(text: string): QueryJudgement {
  if (text.length > MAX_SQL_CHARACTERS)
    return refused("max", `must be at most ${MAX_SQL_CHARACTERS} characters`);
  const scanned = tokenize(text);
  if (scanned.kind === "unreadable") return refused("syntax", scanned.message);
  const tokens = withoutClosingSemicolons(scanned.tokens);
  const [first] = tokens;
  if (first === undefined) return refused("required", "is empty");
  if (tokens.some((token) => token.kind === "symbol" && token.text === ";"))
    return refused("one_statement", "must be one statement");
  const opening = tokens.find((token) => token.text !== "(");
  if (opening?.kind !== "word" || !STATEMENTS.has(opening.text.toLowerCase()))
    return refused(
      "read_only",
      "must begin with SELECT, WITH, SHOW, DESCRIBE or EXISTS",
    );
  return judgeOutput(tokens) ?? judgeFunctions(tokens) ?? allowed(text, tokens);
}

/** The answer's format is ours, and it goes to the caller, not to a file of the server's. */
function judgeOutput(tokens: readonly SqlToken[]): QueryJudgement | null {
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (token.kind !== "word" || next?.kind !== "word") continue;
    const pair = `${token.text} ${next.text}`.toLowerCase();
    if (pair === "into outfile")
      return refused("output", "must not write a file (INTO OUTFILE)");
    if (pair.startsWith("format ") && at === tokens.length - 2)
      return refused("output", "must not name a FORMAT: the answer is JSON");
  }
  return null;
}

function judgeFunctions(tokens: readonly SqlToken[]): QueryJudgement | null {
  for (const [at, token] of tokens.entries()) {
    const isCall = tokens[at + 1]?.text === "(" && tokens[at + 1]?.kind === "symbol";
    if (isCall && token.kind !== "symbol" && isRefusedFunction(token.text))
      return refused("function", `must not call ${token.text}()`);
  }
  return null;
}

/** Whether a function of this name, table function or scalar, is refused; upper and lower case alike. */
export function isRefusedFunction(name: string): boolean {
  const lower = name.toLowerCase();
  if (REFUSED_NAMES.has(lower)) return true;
  return (
    REFUSED_PREFIXES.some((prefix) => lower.startsWith(prefix)) &&
    !HARMLESS_SCALARS.test(lower)
  );
}

function withoutClosingSemicolons(tokens: readonly SqlToken[]): SqlToken[] {
  const kept = [...tokens];
  while (kept.at(-1)?.kind === "symbol" && kept.at(-1)?.text === ";") kept.pop();
  return kept;
}

function allowed(text: string, tokens: readonly SqlToken[]): QueryJudgement {
  return { isAllowed: true, sql: text.slice(tokens[0]?.start, tokens.at(-1)?.end) };
}

function refused(rule: string, message: string): QueryJudgement {
  return { isAllowed: false, rule, message };
}
