/**
 * Makes one block of rows in ClickHouse's format Native: column after column, each with its name and type. ClickHouse spends a third
 * less CPU on such an insert than with JSONCompactEachRow or RowBinary, because it reads whole columns instead of one value after
 * another. A block that was cut off is refused, because its first bytes say how many rows it has. And types are converted to the table's.
 */
import type { InRecord, RawRecord } from "@postrider/messaging";
import { BlockBytes } from "./block-bytes.ts";
import type { ColumnType, ColumnWriter } from "./column-types.ts";

/** A column and how a record fills it. */
export interface Column<T> {
  readonly name: string;
  /** The type that is written, as ClickHouse names it. */
  readonly type: string;
  /** Begins the column of a block of `rows` rows. */
  readonly open: (rows: number) => OpenColumn<T>;
}

interface OpenColumn<T> {
  readonly valueOf: (value: T, raw: RawRecord) => unknown;
  readonly writer: ColumnWriter<unknown>;
}

export function column<T, Value>(
  name: string,
  type: ColumnType<Value>,
  valueOf: (value: T, raw: RawRecord) => Value,
): Column<T> {
  return {
    name,
    type: type.name,
    // The writer gets what `valueOf` returns, and nothing else.
    open: (rows) => ({
      valueOf,
      writer: type.open(rows) as ColumnWriter<unknown>,
    }),
  };
}

/** No block could be made of the rows. It says of which column only: Node's own messages quote up to 25 characters of a value. */
export class BlockError extends Error {
  readonly code = "BLOCK";
  /** The value has another type than its column. Otherwise it may pass: there was no memory, say. */
  readonly isOfAValue: boolean;

  constructor(column: string, { name }: Error) {
    super(`no block could be made of the rows: column ${column}: ${name}`);
    this.name = "BlockError";
    this.isOfAValue = name === "TypeError";
  }
}

/** The rows as one block. The same rows make the same bytes. Throws a BlockError. */
export function encodeBlock<T>(
  columns: readonly Column<T>[],
  rows: readonly InRecord<T>[],
): Buffer {
  const opened = columns.map(({ name, open }) => ({
    name,
    ...open(rows.length),
  }));
  let at = "";
  try {
    // Row after row, although the block has columns: each record is then fetched from memory once, not once for each column.
    for (const { value, raw } of rows)
      for (const { name, valueOf, writer } of opened) {
        at = name;
        writer.add(valueOf(value, raw));
      }
  } catch (error) {
    throw new BlockError(at, error as Error); // nothing else is thrown there
  }
  const head = new BlockBytes(0);
  head.varUInt(columns.length);
  head.varUInt(rows.length);
  const parts = [head.written()];
  for (const [n, { name, type }] of columns.entries()) {
    const title = new BlockBytes(0);
    title.text(name);
    title.text(type);
    parts.push(title.written());
    for (const part of opened[n]!.writer.parts) parts.push(part.written());
  }
  return Buffer.concat(parts);
}
