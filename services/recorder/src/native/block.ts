/**
 * Makes one block of rows in ClickHouse's format Native: column after column, each with its name and type. ClickHouse spends a third
 * less CPU on such an insert than with JSONCompactEachRow or RowBinary, because it reads whole columns instead of one value after
 * another. A block that was cut off is refused, because its first bytes say how many rows it has. And types are converted to the table's.
 */
import type { InRecord, RawRecord } from "@postrider/messaging";
import { BlockBytes } from "./block-bytes.ts";
import type { ColumnType } from "./column-types.ts";

/** A column and how a record fills it. */
export interface Column<T> {
  readonly name: string;
  /** The type that is written, as ClickHouse names it. */
  readonly type: string;
  readonly write: (to: BlockBytes, rows: readonly InRecord<T>[]) => void;
}

export function column<T, Value>(
  name: string,
  type: ColumnType<Value>,
  valueOf: (value: T, raw: RawRecord) => Value,
): Column<T> {
  return {
    name,
    type: type.name,
    write(to, rows) {
      const values: Value[] = [];
      for (const { value, raw } of rows) values.push(valueOf(value, raw));
      type.write(to, values);
    },
  };
}

/** The rows as one block. The same rows make the same bytes. */
export function encodeBlock<T>(
  columns: readonly Column<T>[],
  rows: readonly InRecord<T>[],
): Buffer {
  const to = new BlockBytes(rows.length * USUAL_ROW_BYTES);
  to.varUInt(columns.length);
  to.varUInt(rows.length);
  for (const { name, type, write } of columns) {
    to.text(name);
    to.text(type);
    write(to, rows);
  }
  return to.written();
}

/** A block of such rows does not grow. */
const USUAL_ROW_BYTES = 512;
