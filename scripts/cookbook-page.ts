/** The text of docs/sql/cookbook.md. Its examples are kept in the page itself: the test that runs them compares them, and can write them. */
import { COOKBOOK } from "../services/control/src/cookbook/cookbook.ts";
import type {
  Parameter,
  SavedQuery,
} from "../services/control/src/cookbook/saved-query.ts";

/** The day with which the examples begin, whichever day they were run for. */
export const EXAMPLES_FROM = Date.UTC(2026, 10, 27);
export const NOT_RUN = "(not run yet)";

/** The tables of the examples that are in a page, by the query's name. */
export function examplesOf(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(EXAMPLE)].map(([, , name = "", , text = ""]) => [
      name,
      text,
    ]),
  );
}

const EXAMPLE =
  /(```text\n\$ npx postrider query --saved )(\S+)([^\n]*\n)([^]*?)(?=\n```)/g;

/** The same page with these examples. */
export function withExamples(
  page: string,
  examples: ReadonlyMap<string, string>,
): string {
  return page.replaceAll(
    EXAMPLE,
    (_, before: string, name: string, line: string, text: string) =>
      `${before}${name}${line}${examples.get(name) ?? text}`,
  );
}

/** An answer as the command prints it, with its days moved to those of the examples. */
export function exampleText(
  answer: {
    readonly columns: readonly { readonly name: string }[];
    readonly rows: readonly (readonly unknown[])[];
  },
  from: number,
): string {
  const rows = answer.rows.map((row) =>
    row.map((value) => cell(value, EXAMPLES_FROM - from)),
  );
  const lines = [answer.columns.map(({ name }) => name), ...rows];
  const widths = answer.columns.map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cell(value: unknown, moveMs: number): string {
  if (value === null) return "NULL";
  if (typeof value !== "string") return JSON.stringify(value);
  const time = /^(\d{4}-\d\d-\d\d)( [\d:.]+)?$/.exec(value);
  if (time === null) return value;
  const day = new Date(Date.parse(`${time[1]}T00:00:00Z`) + moveMs);
  return `${day.toISOString().slice(0, 10)}${time[2] ?? ""}`;
}

/** Markdown, not formatted yet. */
export function renderPage(examples: ReadonlyMap<string, string>): string {
  return [
    "# SQL cookbook",
    "",
    "Questions that operators ask, as saved queries. Generated from `services/control/src/cookbook/`, which the command and the API have, too.",
    "",
    INTRODUCTION,
    "",
    ...COOKBOOK.flatMap(({ title, queries }) => [
      `- [${title}](#${anchor(title)}): ${queries
        .map((query) => `[${query.name}](#${anchor(query.title)})`)
        .join(" · ")}`,
    ]),
    "",
    ...COOKBOOK.flatMap(({ title, queries }) => [
      `## ${title}`,
      "",
      ...queries.flatMap((query) => section(query, examples)),
    ]),
    COSTS,
    "",
  ].join("\n");
}

const INTRODUCTION = `\`\`\`sh
npx postrider query --list
npx postrider query --saved worst-endpoints --param since=6h --param tenant=acme
curl -s "$CONTROL/v1/queries/worst-endpoints?since=6h&tenant=acme" -H "authorization: Bearer $KEY"
clickhouse-client --database postrider --param_since='2026-11-27 00:00:00' --param_until='2026-11-28 22:00:00' --param_tenant= --param_limit=20 --query "…"
\`\`\`

- **Parameters** are ClickHouse's own (\`{since:DateTime64(3)}\`): they are sent beside the text. \`since\` and \`until\` bound the time: RFC 3339, epoch milliseconds, \`now\`, or how long ago (\`15m\`, \`6h\`, \`7d\`). \`tenant\` is one tenant, or empty for all. \`limit\` is how many rows at most. Where there are more, the command says so, and \`truncated\` is true. The command writes \`--json\`, \`--ndjson\` and \`--csv\`, too. With \`clickhouse-client\` there are no defaults, and times are ClickHouse's, in the server's time zone. \`POST /v1/query\` takes no parameters: write the values into the text.
- **Cost.** Every query bounds the column by which its tables are partitioned, and the tables are sorted by tenant. So a query reads the days of its window (of a roll-up the months, and to compare also the window before), and with \`tenant\` only that tenant's rows of them: name the tenant where you can, and begin with a short window. With \`clickhouse-client\` add \`--do_not_merge_across_partitions_select_final 1\`, as control does; without it the queries over \`events\` read all days. [What some read](#what-a-query-reads) is below.
- **Repeats.** Rows are recorded exactly once. Still, all but the queries over roll-ups (\`traffic\`, \`success-by-day\`, \`latency-by-day\`) are right if a row is in its table twice: they read with \`FINAL\`, or count so that a second row adds nothing.
- Percentiles are exact, but for \`latency-by-day\`: the value below which that share of the others lies. Times of the answers are UTC.
- The examples are of two made-up days, 27 November 2026 until 22:00 of the 28th (\`--param since=2026-11-27T00:00:00Z --param until=2026-11-28T22:00:00Z\`, not repeated below). A test runs each of them, and compares each query with answers that it calculates from the same records without SQL.`;

/** Measured by hand: rows are the same on any machine, CPU seconds are those of a busy one. */
const COSTS = `## What a query reads

Of three days with 3,000,000 events, each with an attempt (so 6,000,000 rows in \`deliveries\`, not merged yet), of 200 tenants, 8 % of the attempts failed. \`t7\` has 1.5 % of them. Rows read and CPU seconds of ClickHouse 26.7, once for all tenants, once with \`tenant=t7\`:

| query | window | rows, all | CPU s | rows, t7 | CPU s |
| --- | --- | --- | --- | --- | --- |
| \`endpoint-health\` | 1 day | 1,000,000 | 0.25 | 35,926 | 0.01 |
| \`slower-than-before\` | 1 day | 2,000,000 | 0.58 | 70,523 | 0.04 |
| \`repeated-requests\` | 1 day | 1,000,000 | 0.27 | 35,926 | 0.04 |
| \`fan-out\` | 1 day | 1,000,000 | 0.39 | 17,408 | 0.02 |
| \`waiting-now\` | 3 days | 9,006,101 | 3.4 | 244,994 | 0.14 |
| \`error-budget\` | 3 days | 6,006,101 | 1.5 | 141,667 | 0.09 |
| \`given-up\` | 3 days | 6,006,101 | 1.8 | 141,667 | 0.06 |
| \`success-by-day\` | 3 days | 811,410 | 0.08 | 16,384 | 0.01 |
| \`traffic\` | 1 day | 732,528 | 0.05 | 8,192 | 0.01 |

Each delivery is two rows or more until ClickHouse has merged them. The roll-ups are partitioned by month, so without a tenant a query reads the month's rows. A query may take 30 s and 2 GiB of memory (\`POSTRIDER_QUERY_TIMEOUT\`). \`npm run bench -- queries\` asks all of them, and the API's lists, on a made-up past ([bench/README.md](../../bench/README.md)).`;

function section(
  query: SavedQuery,
  examples: ReadonlyMap<string, string>,
): string[] {
  const { name, title, description, parameters, sql } = query;
  return [
    `### ${title}`,
    "",
    `\`${name}\`. ${description}`,
    "",
    parametersLine(parameters),
    "",
    "```sql",
    sql,
    "```",
    "",
    "```text",
    `$ npx postrider query --saved ${name}${exampleArguments(query)}`,
    examples.get(name) ?? NOT_RUN,
    "```",
    "",
  ];
}

const EXPLAINED_ABOVE = new Set(["since", "until", "tenant", "limit"]);

function parametersLine(
  parameters: Readonly<Record<string, Parameter>>,
): string {
  const texts = Object.entries(parameters).map(
    ([name, { type, default: value, description }]) => {
      const given = value === null ? " (required)" : value && ` = \`${value}\``;
      const isKnown = EXPLAINED_ABOVE.has(name) && value !== null;
      return `\`${name}\`${given}${isKnown ? "" : ` (${type}: ${description})`}`;
    },
  );
  return `Parameters: ${texts.join(", ")}.`;
}

/** What the example is asked with beside its window, and instead of defaults. */
export function exampleGiven({
  parameters,
  sql,
}: SavedQuery): Readonly<Record<string, string>> {
  return {
    ...(sql.includes("is_now") ? { since: "2026-11-28T00:00:00Z" } : {}),
    ...(parameters["tenant"]?.default === null ? { tenant: "acme" } : {}),
    ...(parameters["endpoint"]?.default === null
      ? { endpoint: "ep_flaky" }
      : {}),
    ...(parameters["limit"] === undefined ? {} : { limit: "5" }),
  };
}

function exampleArguments(query: SavedQuery): string {
  return Object.entries(exampleGiven(query))
    .map(([name, value]) => ` --param ${name}=${value}`)
    .join("");
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}
