/**
 * Decides which SQL an operator may send through the API. This is the second wall: ClickHouse itself runs the query with
 * `readonly=1`, so its own parser refuses writes. This file refuses what `readonly` lets through: several statements,
 * settings that a subquery changes, an output format other than ours, and functions that read files, other servers, or a table's index
 * past its row policy.
 */
import { tokenize, type SqlToken } from "./sql-tokens.ts";

export type QueryJudgement =
  /** `sql` is the statement without a closing semicolon. */
  | { readonly isAllowed: true; readonly sql: string }
  | {
      readonly isAllowed: false;
      readonly rule: string;
      readonly message: string;
    };

export const MAX_SQL_CHARACTERS = 100_000;

/** Allowed first words. Those of the second list describe things by name and never read them. */
const QUERIES = new Set(["select", "with"]);
const DESCRIPTIONS = new Set(["show", "describe", "desc", "exists"]);

/**
 * Table functions that stay inside the server and read no table beyond its grants. Every other table function is refused by
 * name; a test compares both lists with the engine's own `system.table_functions`. `readonly=1` refuses most of them in a
 * SELECT, but it runs `DESCRIBE url(…)`, which does make the request.
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
  "sqlstandardvalues",
  "values",
  "view",
  "viewifpermitted",
  "viewexplain",
  "zeros",
  "zeros_mt",
]);

/** Prefixes, so that `urlCluster`, `s3Cluster`, `icebergS3` and similar functions of later versions are refused, too. */
const REFUSED_PREFIXES =
  /^(?:arrowflight|azureblobstorage|cluster|cosn|deltalake|executable|filecluster|filesystem|fuzzjson|gcs|hdfs|hudi|iceberg|jdbc|mergetree|mongodb|mysql|odbc|oss|paimon|postgresql|prometheusquery|remote|s3|timeseries(?:data|metrics|samples|selector|tags)|url|ytsaurus)/;
const REFUSED_TABLE_FUNCTIONS = new Set([
  "dictionary",
  "eval",
  "input",
  "loop",
  "python",
  "redis",
  "sqlite",
]);

/** Scalar functions whose names begin with a refused prefix, but which are harmless. */
const HARMLESS_SCALARS = new Set([
  "urlhash",
  "urlhierarchy",
  "urlpathhierarchy",
]);

/**
 * Scalar functions that `readonly` lets through: `file` reads the server's files, `getClientHTTPHeader` our own credentials,
 * `ai…` calls other servers. They also run without a bracket behind the name (`APPLY(file)`, `arrayMap(file, …)`), so the
 * bare name is refused everywhere. A column of that name must be written with its table: `t.file`.
 */
const REFUSED_SCALARS =
  /^(?:file|getclienthttpheader|catboostevaluate|generateserialid|ai(?:classify|embed|extract|generate|translate)\w*)$/;

/** Judges one text. Never throws; a text that may be read in two ways is refused. */
export function judgeQuery(text: string): QueryJudgement {
  if (text.length > MAX_SQL_CHARACTERS)
    return refused("max", `must be at most ${MAX_SQL_CHARACTERS} characters`);
  const scanned = tokenize(text);
  if (scanned.kind === "unreadable") return refused("syntax", scanned.message);
  const tokens = withoutClosingSemicolons(scanned.tokens);
  const [first] = tokens;
  if (first === undefined) return refused("required", "is empty");
  if (tokens.some((token) => isSymbol(token, ";")))
    return refused("one_statement", "must be one statement");
  const isExplained = wordAt(tokens, 0) === "explain";
  const statement = openingOf(isExplained ? explainedBy(tokens) : tokens);
  const isDescription = !isExplained && DESCRIPTIONS.has(statement);
  if (!isDescription && !QUERIES.has(statement))
    return refused(
      "read_only",
      isExplained
        ? "must explain a SELECT: as SYNTAX, QUERY TREE, PLAN, PIPELINE or ESTIMATE"
        : "must begin with SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN",
    );
  return (
    judgeSettings(tokens) ??
    judgeOutput(tokens) ??
    judgeFunctions(tokens) ??
    (isDescription ? judgeNames(tokens) : null) ??
    allowed(text, tokens)
  );
}

/** As `judgeQuery`, for a SELECT that is put into one of ours in brackets, and must not close them. */
export function judgeSubquery(text: string): QueryJudgement {
  const judged = judgeQuery(text);
  if (!judged.isAllowed) return judged;
  const scanned = tokenize(judged.sql);
  const tokens = scanned.kind === "unreadable" ? [] : scanned.tokens;
  if (!QUERIES.has(openingOf(tokens)))
    return refused("read_only", "must begin with SELECT or WITH");
  let depth = 0;
  for (const token of tokens) {
    if (isSymbol(token, "(")) depth += 1;
    if (isSymbol(token, ")") && (depth -= 1) < 0) break;
  }
  return depth === 0
    ? judged
    : refused("syntax", "must close each bracket that it opens");
}

/** The first word after opening brackets, in lower case; empty when the token there is not a word. */
function openingOf(tokens: readonly SqlToken[]): string {
  return wordAt(
    tokens,
    tokens.findIndex((token) => !isSymbol(token, "(")),
  );
}

/**
 * The forms of EXPLAIN that are allowed. Not allowed are `TABLE OVERRIDE`, which calls the server that a table function names,
 * `CURRENT TRANSACTION`, which explains nothing, and `AST`, which takes the answer's format for a part of the query. The
 * allowed forms build a plan of the query, for which ClickHouse runs its scalar subqueries, under the same settings and the
 * same guard as the query itself.
 */
const EXPLANATIONS = new Set(["syntax", "plan", "pipeline", "estimate"]);

/** The tokens after `EXPLAIN`, its form and its options (`indexes = 1, json = 1`). */
function explainedBy(tokens: readonly SqlToken[]): readonly SqlToken[] {
  let at = 1;
  const form = wordAt(tokens, at);
  if (EXPLANATIONS.has(form)) at += 1;
  else if (form === "query" && wordAt(tokens, at + 1) === "tree") at += 2;
  while (wordAt(tokens, at) !== "" && isSymbol(tokens[at + 1], "=")) {
    at += 3;
    if (isSymbol(tokens[at], ",")) at += 1;
  }
  return tokens.slice(at);
}

/**
 * Refuses a SETTINGS clause in all its forms: a name may be quoted, and one without a value means 1. ClickHouse refuses it
 * by `readonly` at the end of a query only: in a subquery it lets it pass. A column or table called so passes when it is
 * quoted, or written behind its table or database (`system.settings`).
 */
function judgeSettings(tokens: readonly SqlToken[]): QueryJudgement | null {
  const isClause = tokens.some((_, at) => {
    const next = tokens[at + 1]?.kind;
    return (
      wordAt(tokens, at) === "settings" &&
      !isQualified(tokens, at) &&
      (next === "word" || next === "quoted" || next === "string")
    );
  });
  return isClause
    ? refused(
        "settings",
        "must not change settings (SETTINGS); quote a column of that name",
      )
    : null;
}

/** Behind a name and a dot. Behind a number, as in `1. SETTINGS`, the dot is the number's. */
function isQualified(tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 2]?.kind;
  return (
    isSymbol(tokens[at - 1], ".") && (before === "word" || before === "quoted")
  );
}

function wordAt(tokens: readonly SqlToken[], at: number): string {
  const token = tokens[at];
  return token?.kind === "word" ? token.text.toLowerCase() : "";
}

/** Refuses FORMAT and INTO OUTFILE: the format is ours, and the answer goes to the caller, not to a file on the server. */
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
    if (token.kind === "symbol" || token.kind === "number") continue;
    const isCall = isSymbol(tokens[at + 1], "(");
    const isColumn = isSymbol(tokens[at - 1], ".") && !isCall;
    if (isCall && isRefusedTableFunction(token.text))
      return refused("function", `must not call ${token.text}()`);
    if (
      token.kind !== "string" &&
      !isColumn &&
      REFUSED_SCALARS.test(token.text.toLowerCase())
    )
      return refused("function", `must not use the function ${token.text}`);
  }
  return null;
}

/** Whether a call of this name is refused; case does not matter. */
export function isRefusedTableFunction(name: string): boolean {
  const lower = name.toLowerCase();
  if (REFUSED_TABLE_FUNCTIONS.has(lower) || REFUSED_SCALARS.test(lower))
    return true;
  return REFUSED_PREFIXES.test(lower) && !HARMLESS_SCALARS.has(lower);
}

/** Refuses a quoted name that may be a path: clickhouse-local, which tests and the demo use, opens a file of that name. */
function judgeNames(tokens: readonly SqlToken[]): QueryJudgement | null {
  const isPath = (token: SqlToken): boolean =>
    token.kind === "quoted" && !/^[\w-]+$/.test(token.text);
  return tokens.some(isPath)
    ? refused(
        "name",
        "must not describe a name with other than A-Z a-z 0-9 _ -",
      )
    : null;
}

function isSymbol(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "symbol" && token.text === text;
}

function withoutClosingSemicolons(tokens: readonly SqlToken[]): SqlToken[] {
  const kept = [...tokens];
  while (isSymbol(kept.at(-1), ";")) kept.pop();
  return kept;
}

function allowed(text: string, tokens: readonly SqlToken[]): QueryJudgement {
  return {
    isAllowed: true,
    sql: text.slice(tokens[0]?.start, tokens.at(-1)?.end),
  };
}

function refused(rule: string, message: string): QueryJudgement {
  return { isAllowed: false, rule, message };
}
