/**
 * How the values of one column are laid out in a block of ClickHouse's format Native. Source: "Native" in ClickHouse's reference of
 * formats. A type that is written here need not be the table's: ClickHouse converts each column to the type that the table has. A
 * number that does not fit such a type wraps round without a word (-1 becomes 2^64 - 1 in UInt64).
 */
import { BlockBytes } from "./block-bytes.ts";

export interface ColumnType<Value> {
  /** As ClickHouse names it. */
  readonly name: string;
  /** Begins a column of `rows` values. */
  open(rows: number): ColumnWriter<Value>;
}

/** Takes the values of one column, in the order of the rows. */
export interface ColumnWriter<Value> {
  readonly add: (value: Value) => void;
  /** The column's bytes are these, one after the other. */
  readonly parts: readonly BlockBytes[];
}

/** Text as UTF-8. ClickHouse's String is any bytes, so `BYTES` has the same name. */
export const TEXT: ColumnType<string> = {
  name: "String",
  open(rows) {
    const to = new BlockBytes(rows * USUAL_TEXT_BYTES);
    return { add: (value) => to.text(value), parts: [to] };
  },
};

export const BYTES: ColumnType<Uint8Array> = {
  name: "String",
  open(rows) {
    const to = new BlockBytes(rows * USUAL_TEXT_BYTES);
    return { add: (value) => to.bytes(value), parts: [to] };
  },
};

export const BOOL: ColumnType<boolean> = {
  name: "Bool",
  open(rows) {
    const to = new BlockBytes(rows);
    return { add: (value) => to.uint8(value ? 1 : 0), parts: [to] };
  },
};

/** Whole numbers from -2^31 to 2^31 - 1. */
export const INT32: ColumnType<number> = {
  name: "Int32",
  open(rows) {
    const to = new BlockBytes(rows * 4);
    return { add: (value) => to.int32(value), parts: [to] };
  },
};

/** Whole numbers whose absolute value is below 2^53. */
export const INT64: ColumnType<number> = { name: "Int64", open: openInt64 };

/** Epoch milliseconds. */
export const TIME: ColumnType<number> = {
  name: "DateTime64(3, 'UTC')",
  open: openInt64,
};

/** Numbers of a type, or NULL. */
export function nullable(type: ColumnType<number>): ColumnType<number | null> {
  return {
    name: `Nullable(${type.name})`,
    open(rows) {
      const nulls = new BlockBytes(rows);
      const { add, parts } = type.open(rows);
      return {
        add(value) {
          // A field that is missing is NULL, too, and not 0.
          const isNull = value === null || value === undefined;
          nulls.uint8(isNull ? 1 : 0);
          add(isNull ? 0 : value);
        },
        parts: [nulls, ...parts],
      };
    },
  };
}

export function arrayOf<Value>(
  type: ColumnType<Value>,
): ColumnType<readonly Value[]> {
  return {
    name: `Array(${type.name})`,
    open(rows) {
      // Where the items of each value end in the column of all items.
      const ends = new BlockBytes(rows * 8);
      const { add, parts } = type.open(rows);
      let end = 0;
      return {
        add(values) {
          for (const value of values) add(value);
          ends.int64((end += values.length));
        },
        parts: [ends, ...parts],
      };
    },
  };
}

/** Names and texts, in the order of the object's properties. */
export const TEXT_MAP: ColumnType<Readonly<Record<string, string>>> = {
  name: "Map(String, String)",
  open(rows) {
    const ends = new BlockBytes(rows * 8);
    const names = new BlockBytes(rows * USUAL_TEXT_BYTES);
    const texts = new BlockBytes(rows * USUAL_TEXT_BYTES);
    let end = 0;
    return {
      add(map) {
        for (const name of Object.keys(map)) {
          names.text(name);
          texts.text(map[name]!); // it is one of its keys
          end++;
        }
        ends.int64(end);
      },
      parts: [ends, names, texts],
    };
  },
};

/** Set aside at first; longer texts make the column grow. */
const USUAL_TEXT_BYTES = 16;

function openInt64(rows: number): ColumnWriter<number> {
  const to = new BlockBytes(rows * 8);
  return { add: (value) => to.int64(value), parts: [to] };
}
