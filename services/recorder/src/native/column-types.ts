/**
 * How the values of one column are laid out in a block of ClickHouse's format Native. Source: "Native" in ClickHouse's reference of
 * formats. A type that is written here need not be the table's: ClickHouse converts each column to the type that the table has.
 */
import type { BlockBytes } from "./block-bytes.ts";

export interface ColumnType<Value> {
  /** As ClickHouse names it. */
  readonly name: string;
  write(to: BlockBytes, values: readonly Value[]): void;
}

/** Text as UTF-8. ClickHouse's String is any bytes, so `BYTES` has the same name. */
export const TEXT: ColumnType<string> = {
  name: "String",
  write(to, values) {
    for (const value of values) to.text(value);
  },
};

export const BYTES: ColumnType<Uint8Array> = {
  name: "String",
  write(to, values) {
    for (const value of values) to.bytes(value);
  },
};

export const BOOL: ColumnType<boolean> = {
  name: "Bool",
  write(to, values) {
    to.reserve(values.length);
    for (const value of values) to.uint8(value ? 1 : 0);
  },
};

/** Whole numbers from -2^31 to 2^31 - 1. */
export const INT32: ColumnType<number> = {
  name: "Int32",
  write(to, values) {
    to.reserve(values.length * 4);
    for (const value of values) to.int32(value);
  },
};

/** Whole numbers whose absolute value is at most 2^53. */
export const INT64: ColumnType<number> = {
  name: "Int64",
  write: writeInt64,
};

/** Epoch milliseconds. */
export const TIME: ColumnType<number> = {
  name: "DateTime64(3, 'UTC')",
  write: writeInt64,
};

/** A type that also has NULL. */
export function nullable(type: ColumnType<number>): ColumnType<number | null> {
  return {
    name: `Nullable(${type.name})`,
    write(to, values) {
      to.reserve(values.length);
      for (const value of values) to.uint8(value === null ? 1 : 0);
      type.write(
        to,
        values.map((value) => value ?? 0),
      );
    },
  };
}

export function arrayOf<Value>(
  type: ColumnType<Value>,
): ColumnType<readonly Value[]> {
  return {
    name: `Array(${type.name})`,
    write(to, values) {
      writeEnds(to, values);
      type.write(to, values.flat() as Value[]); // a value of our arrays is never an array itself
    },
  };
}

/** Names and texts, in the order of the object's properties. */
export const TEXT_MAP: ColumnType<Readonly<Record<string, string>>> = {
  name: "Map(String, String)",
  write(to, values) {
    const maps = values.map((value) => Object.entries(value));
    writeEnds(to, maps);
    for (const map of maps) for (const [name] of map) to.text(name);
    for (const map of maps) for (const [, text] of map) to.text(text);
  },
};

/** Where the items of each value end in the column of all items. */
function writeEnds(
  to: BlockBytes,
  values: readonly (readonly unknown[])[],
): void {
  to.reserve(values.length * 8);
  let end = 0;
  for (const { length } of values) {
    end += length;
    to.int64(end);
  }
}

function writeInt64(to: BlockBytes, values: readonly number[]): void {
  to.reserve(values.length * 8);
  for (const value of values) to.int64(value);
}
