/** The page about the tables, as markdown. Throws where a table or a column has nothing that says what it means. */
import type { FoundColumn, FoundTable } from "./schema-of.ts";

/** What is read first comes first. A table that is missing here comes last. */
const ORDER = [
  "events",
  "attempts",
  "deliveries",
  "delivery_status",
  "dead_letters",
  "signals",
  "audit",
  "endpoint_hour",
  "endpoint_hours",
  "tenant_minute",
  "tenant_minutes",
];

/** A view has no comments. What its columns mean is told by the table that it reads. */
const VIEWS: Readonly<
  Record<
    string,
    {
      readonly comment: string;
      readonly reads: string;
    }
  >
> = {
  delivery_status: {
    comment: "`deliveries` with FINAL: each delivery once, as it stands.",
    reads: "deliveries",
  },
  endpoint_hours: {
    comment: "`endpoint_hour` as plain numbers, one row per bucket.",
    reads: "endpoint_hour",
  },
  tenant_minutes: {
    comment: "`tenant_minute` as plain numbers, one row per bucket.",
    reads: "tenant_minute",
  },
};

const QUANTILES: Readonly<Record<string, string>> = {
  quantiles_ms: "The three quantiles of the durations.",
  p50_ms: "Median of the durations, estimated.",
  p95_ms: "95th percentile of the durations, estimated.",
  p99_ms: "99th percentile of the durations, estimated.",
};

/** Values that came without a migration, and so without a new comment in ClickHouse. */
const LATER_VALUES: Readonly<Record<string, string>> = {
  "audit.subject":
    "Also event_type and type_policy: the catalogue of event types.",
  "signals.kind":
    "Also, by control, [disabled, dead_letters_growing and replay_finished](../operational-events.md#as-signals): no delivery, and `detail` says the rest.",
  "signals.endpoint_id": "Empty where the signal is about none.",
};

export function renderSchema(found: readonly FoundTable[]): string {
  const shown = found
    .filter(({ engine }) => engine !== "MaterializedView")
    .toSorted((a, b) => rank(a) - rank(b));
  return [
    "# Tables in ClickHouse",
    "",
    "Generated from a ClickHouse to which every migration was applied. The same texts are in ClickHouse itself, but for values that came without a migration: `DESCRIBE postrider.attempts`. Which field of which record becomes which column is in `services/recorder/src/columns.ts`.",
    "",
    ...PROMISES,
    "",
    "## All of them",
    "",
    "| name | kind | what it has | since |",
    "| --- | --- | --- | --- |",
    ...shown.map((table) =>
      row(
        `[${table.name}](#${table.name})`,
        table.engine === "View" ? "view" : "table",
        commentOf(table),
        migrationName(table.since),
      ),
    ),
    "",
    ...shown.flatMap((table) => sectionOf(table, found)),
    ...fillers(found),
  ].join("\n");
}

const PROMISES = [
  "## What may be relied on",
  "",
  "The tables and views of this page are an interface, like the API. _Since_ is the migration that added it; `SELECT max(number) FROM postrider.postrider_migrations` tells how far yours is.",
  "",
  "- **A minor version may add**: tables, views, columns, indexes, and values to the lists that a column's meaning names. So name the columns that you read instead of `SELECT *`, and let your queries pass values that they do not know.",
  "- **A minor version may change** codecs, indexes, settings, how a view is computed, and may widen a type (`Int32` to `Int64`).",
  "- **It changes neither** name, meaning nor unit of a column, nor the keys and the engine of a table, and removes nothing. Only a major version does, and the changelog of a minor version before it says so. In 0.x the second number counts as the major version.",
  "- **Migrations only add**, so an older recorder goes on beside newer tables, and a rollback needs no way back.",
  "- **Each record is in its table once** ([guarantees](../guarantees.md)), but read `FINAL` where it must not count twice: a record that was produced twice is two rows until they merge. Roll-ups can be short after a crash of ClickHouse; `postrider doctor roll-ups` finds that and repairs it ([operations](../operations.md#a-roll-up-is-short)).",
  "- **You may** add columns, indexes, projections, views, users and row policies of your own, and change a TTL ([what follows](../operations.md#retention)). A column of your own needs a default. Keep types convertible ([operations](../operations.md#postriderinsertsfailing)).",
  "- Not part of it: `postrider_migrations`, tables whose name has `_mend_` or `_repair_` (they live for seconds), the materialized views, columns `version`, and the order of rows and columns.",
  "",
  "Times are UTC. An empty text stands for none; NULL is for numbers and times.",
];

function sectionOf(table: FoundTable, found: readonly FoundTable[]): string[] {
  const { name, columns } = table;
  const facts = [
    ["engine", table.engine],
    ["key", table.sortingKey],
    ["partition", table.partitionKey],
    ["kept", keptFor(table.ttl)],
  ].filter(([, value]) => value !== "");
  return [
    `## ${name}`,
    "",
    commentOf(table),
    "",
    ...(table.engine === "View"
      ? []
      : facts.map(([what, value]) => `- ${what}: \`${value}\``)),
    "",
    "| column | type | unit | what it means | since |",
    "| --- | --- | --- | --- | --- |",
    ...columns.map((column) =>
      row(
        `\`${column.name}\``,
        `\`${column.type}\``,
        unitOf(column),
        meaningOf(table, column, found),
        migrationName(column.since),
      ),
    ),
    "",
  ];
}

/** Which table is filled from which. */
function fillers(found: readonly FoundTable[]): string[] {
  return [
    "## What fills what",
    "",
    "The recorder writes `events`, `attempts`, `dead_letters`, `signals` and `audit`. Materialized views fill the rest from them:",
    "",
    "| from | into | view | since |",
    "| --- | --- | --- | --- |",
    ...found
      .filter(({ engine }) => engine === "MaterializedView")
      .toSorted((a, b) => rank({ name: a.into }) - rank({ name: b.into }))
      .map(({ name, from, into, since }) =>
        row(`\`${from}\``, `\`${into}\``, `\`${name}\``, migrationName(since)),
      ),
    "",
  ];
}

function commentOf({ name, comment }: FoundTable): string {
  const said = comment || VIEWS[name]?.comment;
  if (!said) throw new Error(`nothing says what ${name} has`);
  return said;
}

function meaningOf(
  { name: table }: FoundTable,
  { name, comment }: FoundColumn,
  found: readonly FoundTable[],
): string {
  const read = found.find((one) => one.name === VIEWS[table]?.reads);
  const said =
    comment ||
    QUANTILES[name] ||
    read?.columns.find((column) => column.name === name)?.comment;
  if (!said) throw new Error(`nothing says what ${table}.${name} means`);
  const later = LATER_VALUES[`${table}.${name}`];
  return later === undefined ? said : `${said} ${later}`;
}

/** Names end in their unit. */
function unitOf({ name, type }: FoundColumn): string {
  if (name.endsWith("_ms")) return "ms";
  if (name.endsWith("_bytes")) return "bytes";
  if (type.includes("DateTime64(3")) return "time, to the ms";
  if (type.includes("DateTime(")) return "time, to the s";
  return "";
}

function keptFor(ttl: string): string {
  const days = /toIntervalDay\((\d+)\)/.exec(ttl)?.[1];
  return days === undefined ? "for ever" : `${days} days`;
}

function migrationName(number: number): string {
  return String(number).padStart(4, "0");
}

function rank({ name }: Pick<FoundTable, "name">): number {
  const at = ORDER.indexOf(name);
  return at === -1 ? ORDER.length : at;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
