/** What a list is: a table, its order, the columns that are shown, and the conditions that a caller may set. */
import { z } from "zod";
import type { QueryValues } from "../../cookbook/read-parameters.ts";
import { rfc3339 } from "../../http/rfc3339.ts";
import { shownTime } from "../../http/shown.ts";
import { isOfTypesSql, typeValues } from "../../http/types-sql.ts";
import type { QueryAnswer } from "../query-answer.ts";
import type { StatusCodes } from "../../http/list-parameters.ts";
import type { OrderColumn } from "./place.ts";

/** A part of a WHERE, and the values of its parameters. The text never has a caller's value in it. */
export interface Condition {
  readonly sql: string;
  readonly values: QueryValues;
  /** All rows of one key agree in it, so ClickHouse may leave out rows by it before `FINAL` merges them. */
  readonly isFixed?: boolean;
  /** Fixed, and true of few rows, which an index finds without reading the others. */
  readonly isRare?: boolean;
}

/** How a column is read and shown. */
export interface Shown {
  readonly sql: string;
  readonly of: (value: unknown) => unknown;
  /** Of what is shown. */
  readonly schema: z.ZodType;
}

/** The table is `r` in every text. */
export interface List {
  /** Its name in the answer and in its cursors. */
  readonly name: "deliveries" | "attempts" | "deadLetters" | "entries";
  readonly table: string;
  /** The rows' time, from new to old. The table has a partition for each of its days, and it never changes. */
  readonly time: string;
  /** What orders rows of the same millisecond. */
  readonly orderedBy: readonly OrderColumn[];
  /** The columns that the table is ordered by: rows that agree in all of them are one. */
  readonly key: readonly string[];
  readonly shown: Columns;
  /** Where conditions with these values are asked for, there are few rows at any time, so windows widen faster. */
  readonly fewOf?: readonly string[];
}

export type Columns = Readonly<Record<string, Shown>>;

/** The columns of a SELECT, in their order. */
export function selected(columns: Columns): string {
  return Object.values(columns)
    .map(({ sql }) => sql)
    .join(", ");
}

/** A row of such a SELECT as an object, from the column `at` on. */
export function shownRow(
  columns: Columns,
  row: readonly unknown[],
  at = 0,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { of }], n) => [name, of(row[at + n])]),
  );
}

/** The rows of an answer. */
export function rowsOf<Row = readonly unknown[]>({
  rows,
}: QueryAnswer): readonly Row[] {
  return rows.map((text) => JSON.parse(text) as Row); // a row is the text of a JSON array, of the columns that the caller selected
}

/** The schema of what `shownRow` makes. */
export function shownSchema(columns: Columns) {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(columns).map(([name, { schema }]) => [name, schema]),
    ),
  );
}

/** `schema` is that of the column's values; texts if left out. */
export const asIs = (
  column: string,
  schema: z.ZodType = z.string(),
): Shown => ({ sql: `r.${column}`, of: (value) => value, schema });

/** A text that is null where the table has ''. */
export const textOrNull = (column: string): Shown => ({
  sql: `r.${column}`,
  of: (value) => (value === "" ? null : value),
  schema: z.string().nullable(),
});

/** RFC 3339, or null. */
export const time = (column: string): Shown => ({
  sql: `toUnixTimestamp64Milli(r.${column})`,
  of: (value) => (typeof value === "number" ? rfc3339(value) : null),
  schema: shownTime.nullable(),
});

/** A ClickHouse time of a parameter that is epoch milliseconds. */
export function timeOf(parameter: string): string {
  return `fromUnixTimestamp64Milli({${parameter}:Int64})`;
}

/**
 * The rows that meet conditions which all rows of a key agree in, looked up first, without `FINAL`, by the indexes of ids; the rest of the
 * SELECT then reads them by the table's key. With the conditions alone `FINAL` would also read, in every part, whatever overlaps in key with
 * a stretch of rows that an index found.
 */
export function isAmong(
  { table, key }: Pick<List, "table" | "key">,
  conditions: readonly string[],
): string {
  const columns = key.map((column) => `r.${column}`).join(", ");
  return `tuple(${columns}) IN (
  SELECT ${columns} FROM ${table} AS r WHERE ${conditions.join(" AND ")}
)`;
}

/** Marks conditions on what is the same in every row of a key. */
export function fixed(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.map((condition) => ({ ...condition, isFixed: true }));
}

/** Marks conditions that are fixed and that few rows meet: on an id that the table has an index of. */
export function rare(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.map((condition) => ({ ...condition, isRare: true }));
}

/** None where the caller did not ask for it. */
export function isText(
  column: string,
  name: string,
  value: string | undefined,
): readonly Condition[] {
  return value === undefined
    ? []
    : [{ sql: `r.${column} = {${name}:String}`, values: { [name]: value } }];
}

/** Of a type, or of those that a pattern matches. */
export function isType(value: string | undefined): readonly Condition[] {
  if (value === "*") return [];
  return value?.endsWith(".*") === true
    ? [{ sql: isOfTypesSql("r.event_type"), values: typeValues([value]) }]
    : isText("event_type", "eventType", value);
}

export function isOneOf(
  column: string,
  name: string,
  value: readonly string[] | undefined,
): readonly Condition[] {
  return value === undefined
    ? []
    : [
        {
          sql: `has({${name}:Array(String)}, r.${column})`,
          values: { [name]: value },
        },
      ];
}

export function isStatus(
  column: string,
  codes: StatusCodes | undefined,
): readonly Condition[] {
  if (codes === undefined) return [];
  if (codes === null) return [{ sql: `r.${column} IS NULL`, values: {} }];
  return [
    {
      sql: `r.${column} BETWEEN {firstStatus:Int32} AND {lastStatus:Int32}`,
      values: { firstStatus: codes.first, lastStatus: codes.last },
    },
  ];
}

/** One of the columns has the text in it, whatever its case. */
export function hasText(
  columns: readonly string[],
  text: string | undefined,
): readonly Condition[] {
  if (text === undefined) return [];
  const each = columns.map(
    (column) => `positionCaseInsensitiveUTF8(${column}, {text:String}) > 0`,
  );
  return [{ sql: `(${each.join(" OR ")})`, values: { text } }];
}
