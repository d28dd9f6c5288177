/**
 * Writes values of other teams' Avro schemas as JSON text, straight from their bytes: a 64-bit integer keeps every digit, which
 * avsc's own values would lose beyond 2^53. As people write JSON, not as Avro's JSON encoding does: a union is its value without the
 * branch's name, bytes are base64, a decimal is a number with all its digits. Any other logical type is the number or text that
 * it is stored as. Depends on internals of avsc 5.7.9, like avro-types.ts.
 */
import avro from "avsc";
import type { Type } from "avsc";
import { CheckedTap, MalformedError } from "./avro-tap.ts";
import { refuseEmptyItems } from "./avro-types.ts";

/** Writes the value that fills `bytes` from `start` to the end. Throws if it ends earlier or later, or is nothing that JSON has. */
export type JsonWriter = (bytes: Buffer, start: number) => Buffer;

/** Throws if the schema is not Avro, or if a few bytes could stand for endless items. */
export function jsonWriterOf(schemaJson: string): JsonWriter {
  const type = avro.Type.forSchema(JSON.parse(schemaJson) as avro.Schema, {
    logicalTypes: LOGICAL_TYPES,
    omitRecordMethods: true,
  });
  refuseEmptyItems(type, new Set());
  const write = writeOf(type, new Map());
  return (bytes, start) => {
    const tap = new JsonTap(bytes, start);
    const parts: string[] = [];
    write(tap, parts);
    if (tap.pos !== bytes.length) throw new MalformedError("trailing bytes");
    return Buffer.from(parts.join(""), "utf8");
  };
}

/** More digits than anybody counts with. The text of a longer number would cost more than a record may. */
const LONGEST_DECIMAL_BYTES = 128;

/** Keeps a decimal's scale, which avsc forgets of logical types that it does not know. */
class Decimal extends avro.types.LogicalType {
  readonly precision: number;
  readonly scale: number;

  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options);
    const { precision, scale = 0 } = schema as {
      precision?: number;
      scale?: number;
    }; // a schema of logicalType decimal; what it holds is checked below
    const { typeName } = this.underlyingType;
    const isFit =
      (typeName === "bytes" || typeName === "fixed") &&
      Number.isInteger(precision) &&
      Number.isInteger(scale) &&
      scale >= 0 &&
      scale <= Number(precision);
    // avsc then takes the type as what it is stored as, as Avro's specification wants it.
    if (!isFit) throw new MalformedError("not a decimal");
    this.precision = Number(precision);
    this.scale = scale;
  }

  protected override _export(schema: avro.Schema): void {
    Object.assign(schema, { precision: this.precision, scale: this.scale });
  }

  protected override _fromValue(value: unknown): unknown {
    return value;
  }

  protected override _toValue(value: unknown): unknown {
    return value;
  }

  protected override _resolve(): undefined {
    return undefined;
  }
}

/** For whoever makes a type of a schema and writes its schema out again. */
export const LOGICAL_TYPES = { decimal: Decimal } as const;

/** All characters of one value that take no byte in Avro: names of fields, symbols, and the zeros of a decimal's scale. A few bytes could be endless JSON. */
const MOST_FREE_CHARS = 8 << 20;

class JsonTap extends CheckedTap {
  #freeChars = 0;

  /** Throws once they are too many. Call it before the text is made. */
  countFree(chars: number): void {
    this.#freeChars += chars;
    if (this.#freeChars > MOST_FREE_CHARS)
      throw new MalformedError("too long as JSON");
  }

  /** A number of 64 bits as its digits. */
  readLongDigits(): string {
    const { buf } = this;
    let position = this.pos;
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buf[position++];
      if (byte === undefined) throw new MalformedError("ends too early");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift >= 63n) throw new MalformedError("number over 64 bits");
    }
    if (value >> 64n !== 0n) throw new MalformedError("number over 64 bits");
    this.pos = position;
    return String((value >> 1n) ^ -(value & 1n));
  }

  /** How many items follow; 0 ends them. */
  readCount(): number {
    const count = this.readLong();
    if (count < 0) this.readLong(); // the size of the block in bytes
    const items = Math.abs(count);
    if (items > this.buf.length - this.pos)
      throw new MalformedError("more items than bytes");
    return items;
  }
}

type Write = (tap: JsonTap, parts: string[]) => void;

/** A type that holds itself finds itself in `known`. */
function writeOf(type: Type, known: Map<Type, Write>): Write {
  const before = known.get(type);
  if (before !== undefined) return before;
  let made: Write | undefined;
  known.set(type, (tap, parts) => made?.(tap, parts));
  made = makeWrite(type, (inner) => writeOf(inner, known));
  known.set(type, made);
  return made;
}

function makeWrite(type: Type, of: (inner: Type) => Write): Write {
  const { types } = avro;
  if (type instanceof Decimal) return decimalWrite(type);
  if (type instanceof types.LogicalType) return of(type.underlyingType);
  if (type instanceof types.RecordType) return recordWrite(type, of);
  if (type instanceof types.ArrayType) return arrayWrite(of(type.itemsType));
  if (type instanceof types.MapType) return mapWrite(of(type.valuesType));
  if (
    type instanceof types.UnwrappedUnionType ||
    type instanceof types.WrappedUnionType
  ) {
    const branches = type.types.map(of);
    return (tap, parts) => {
      const branch = branches[tap.readLong()];
      if (branch === undefined) throw new MalformedError("no such branch");
      branch(tap, parts);
    };
  }
  if (type instanceof types.EnumType) {
    const symbols = type.symbols.map((symbol) => JSON.stringify(symbol));
    return (tap, parts) => {
      const symbol = symbols[tap.readLong()];
      if (symbol === undefined) throw new MalformedError("no such symbol");
      tap.countFree(symbol.length);
      parts.push(symbol);
    };
  }
  if (type instanceof types.FixedType) {
    const { size } = type;
    return (tap, parts) => parts.push(base64(tap.readFixed(size)));
  }
  return primitiveWrite(type.typeName);
}

function primitiveWrite(typeName: string): Write {
  switch (typeName) {
    case "null":
      return (_tap, parts) => parts.push("null");
    case "boolean":
      return (tap, parts) => parts.push(String(tap.readBoolean()));
    case "int":
      return (tap, parts) => parts.push(String(tap.readInt()));
    case "long":
      return (tap, parts) => parts.push(tap.readLongDigits());
    case "float":
      return (tap, parts) => parts.push(floatText(tap.readFloat()));
    case "double":
      return (tap, parts) => parts.push(numberText(tap.readDouble()));
    case "string":
      return (tap, parts) => parts.push(JSON.stringify(tap.readString()));
    case "bytes":
      return (tap, parts) => parts.push(base64(tap.readBytes()));
    default:
      throw new MalformedError(`a type that is not known: ${typeName}`);
  }
}

function recordWrite(
  { fields }: avro.types.RecordType,
  of: (inner: Type) => Write,
): Write {
  const writes = fields.map((field, i) => {
    const name = `${i === 0 ? "" : ","}${JSON.stringify(field.name)}:`;
    return [name, of(field.type)] as const;
  });
  const nameChars = writes.reduce((sum, [name]) => sum + name.length, 0);
  return (tap, parts) => {
    tap.countFree(nameChars);
    parts.push("{");
    for (const [name, write] of writes) {
      parts.push(name);
      write(tap, parts);
    }
    parts.push("}");
  };
}

function arrayWrite(item: Write): Write {
  return (tap, parts) => {
    let separator = "[";
    for (let left = tap.readCount(); left > 0; left = tap.readCount())
      for (; left > 0; left--) {
        parts.push(separator);
        separator = ",";
        item(tap, parts);
      }
    parts.push(separator === "[" ? "[]" : "]");
  };
}

function mapWrite(value: Write): Write {
  return (tap, parts) => {
    let separator = "{";
    for (let left = tap.readCount(); left > 0; left = tap.readCount())
      for (; left > 0; left--) {
        parts.push(separator, JSON.stringify(tap.readString()), ":");
        separator = ",";
        value(tap, parts);
      }
    parts.push(separator === "{" ? "{}" : "}");
  };
}

function decimalWrite({ scale, underlyingType }: Decimal): Write {
  const size =
    underlyingType instanceof avro.types.FixedType ? underlyingType.size : null;
  return (tap, parts) => {
    const bytes = size === null ? tap.readBytes() : tap.readFixed(size);
    if (bytes.length > LONGEST_DECIMAL_BYTES)
      throw new MalformedError("a decimal that is too long");
    tap.countFree(scale);
    parts.push(decimalText(bytes, scale));
  };
}

/** `bytes`: two's complement, big endian. */
function decimalText(bytes: Buffer, scale: number): string {
  const unscaled =
    bytes.length === 0
      ? 0n
      : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled)
    .replace("-", "")
    .padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The shortest digits that are the same float again: 0.1 and not 0.10000000149011612. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    // Not `===`, for which -0 is 0.
    if (Object.is(Math.fround(short), value)) return numberText(short);
  }
  return numberText(value);
}

function numberText(value: number): string {
  if (!Number.isFinite(value))
    throw new MalformedError(`${value}, a number that JSON does not have`);
  return Object.is(value, -0) ? "-0" : String(value);
}

function base64(bytes: Buffer): string {
  return `"${bytes.toString("base64")}"`;
}
