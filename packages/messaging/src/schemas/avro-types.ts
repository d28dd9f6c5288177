/** Avro types as Postrider reads and writes them, and the fingerprint of a schema. Depends on internals of avsc 5.7.9. */
import avro from "avsc";
import type { Type } from "avsc";
import { CheckedTap, MalformedError, type Tap } from "./avro-tap.ts";
import { setOwn } from "../set-own.ts";

/** Reads one value. A type reads its own encoding; a resolver reads that of another schema. */
export interface Reader {
  _read(tap: Tap): unknown;
}

/** Writes one value. Throws if the value does not fit its type. */
export interface Writer {
  _write(tap: Tap, value: unknown): void;
}

/** Parses a schema of ours, to read into and write from. Its bytes may be any `Uint8Array`, and no count in the data is trusted. Throws if the schema is not Avro. */
export function parseReaderSchema(json: string): Type {
  return avro.Type.forSchema(JSON.parse(json) as avro.Schema, {
    omitRecordMethods: true,
    typeHook: checkedTypes(),
  });
}

/** Parses the schema of another writer. Throws if it is not Avro, or if a few bytes could stand for endless items. */
export function parseWriterSchema(json: string): Type {
  const type = avro.Type.forSchema(JSON.parse(json) as avro.Schema, {
    omitRecordMethods: true,
  });
  refuseEmptyItems(type, new Set());
  return type;
}

/** Makes the reader for values of `writer` into `reader`. Throws if the schemas do not fit. */
export function resolverOf(reader: Type, writer: Type): Reader {
  // avsc hides `_read`, which both have; it is what its own `decode` calls.
  return reader.createResolver(writer) as unknown as Reader;
}

/** A place where a value does not fit its type, and what the type wants there. */
export interface Misfit {
  /** The path, for example `inline.secrets[0].kid`; empty for the whole value. */
  readonly field: string;
  /** What fits there, for example `long`, `null or string`, `Delivery`. */
  readonly rule: string;
}

/** The first misfit of a value; null if the value fits. Call it only after writing has failed: it costs more than writing. */
export function misfitOf(type: Type, value: unknown): Misfit | null {
  const found: Misfit[] = [];
  type.isValid(value, {
    errorHook: (path, _, wanted) =>
      found.push({ field: fieldOf(path), rule: wantedBy(wanted) }),
  });
  return found[0] ?? null;
}

const MAX_FIELD_CHARS = 200;

function fieldOf(path: readonly string[]): string {
  return path
    .map((name, i) => {
      if (/^\d+$/.test(name)) return `[${name}]`;
      return i === 0 ? name : `.${name}`;
    })
    .join("")
    .slice(0, MAX_FIELD_CHARS);
}

function wantedBy(type: Type): string {
  if (type instanceof avro.types.UnwrappedUnionType)
    return type.types.map(wantedBy).join(" or ");
  return (type.name ?? type.typeName).replace(/^.*\./, "");
}

/** Reads one value that fills `bytes` from `start` to the end. Throws if it ends earlier or later. */
export function readWhole(
  reader: Reader,
  bytes: Buffer,
  start: number,
): unknown {
  const tap = new CheckedTap(bytes, start);
  const value = reader._read(tap);
  if (tap.pos !== bytes.length) throw new MalformedError("trailing bytes");
  return value;
}

/** CRC-64-AVRO of the schema's parsing canonical form, as 16 hexadecimal digits, most significant first. Source: Avro specification, Schema Fingerprints. */
export function fingerprintOf(type: Type): string {
  const canonical = Buffer.from(JSON.stringify(type.schema()), "utf8");
  let crc = EMPTY;
  for (const byte of canonical)
    crc = (crc >> 8n) ^ tableEntry(Number((crc ^ BigInt(byte)) & 0xffn));
  return crc.toString(16).padStart(16, "0");
}

const EMPTY = 0xc15d213aa4d7a795n;

function tableEntry(index: number): bigint {
  let entry = BigInt(index);
  for (let bit = 0; bit < 8; bit++)
    entry = (entry >> 1n) ^ ((entry & 1n) === 1n ? EMPTY : 0n);
  return entry;
}

type Hook = (
  schema: unknown,
  options: avro.ForSchemaOptions | undefined,
) => Type | undefined;

/** Replaces some of avsc's classes by ones that also check what avsc does not. */
function checkedTypes(): Hook {
  const bytes = new AnyBytes();
  return (schema, options) => {
    if (schema === "bytes") return bytes;
    if (Array.isArray(schema)) return new Union(schema, options);
    if (typeof schema !== "object" || schema === null) return undefined;
    if (!("type" in schema)) return undefined;
    if (schema.type === "bytes") return bytes;
    if (schema.type === "array")
      return new CountedArray(schema as avro.Schema, options);
    if (schema.type === "map")
      return new AnyNames(schema as avro.Schema, options);
    return undefined;
  };
}

type Constructor = new (...args: unknown[]) => Type & Internals;
interface Internals extends Reader, Writer {
  _check(value: unknown, ...how: unknown[]): boolean;
  _getIndex(value: unknown): number | undefined;
  readonly types: readonly (Type & Internals)[];
  readonly itemsType: Reader;
  readonly valuesType: Reader;
}

// avsc types these classes without the methods that its own code calls on them.
const BytesType = avro.types.BytesType as unknown as Constructor;
const ArrayType = avro.types.ArrayType as unknown as Constructor;
const MapType = avro.types.MapType as unknown as Constructor;
const UnwrappedUnionType = avro.types
  .UnwrappedUnionType as unknown as Constructor;

/** Takes any `Uint8Array`: `core` makes bytes without Node's Buffer, but avsc writes Buffers only. */
class AnyBytes extends BytesType {
  override _write(tap: Tap, value: unknown): void {
    super._write(tap, bufferOf(value));
  }

  override _check(value: unknown, ...how: unknown[]): boolean {
    return super._check(bufferOf(value), ...how);
  }
}

class Union extends UnwrappedUnionType {
  /** Of a union of null and one other type; undefined for other unions. */
  readonly #nullable: { readonly nullIndex: number } | undefined;

  constructor(...args: unknown[]) {
    super(...args);
    const nullIndex = this.types.findIndex((one) => one.typeName === "null");
    if (this.types.length === 2 && nullIndex !== -1)
      this.#nullable = { nullIndex };
  }

  override _getIndex(value: unknown): number | undefined {
    return super._getIndex(bufferOf(value));
  }

  /** avsc looks for the branch by the value's type, which costs more than writing a text. Beside null there is only one branch, which itself throws for a value that it does not take. */
  override _write(tap: Tap, value: unknown): void {
    if (this.#nullable === undefined) return super._write(tap, value);
    const { nullIndex } = this.#nullable;
    tap.writeLong(value === null ? nullIndex : 1 - nullIndex);
    if (value !== null) this.types[1 - nullIndex]!._write(tap, value);
  }
}

/** Checks the count first: avsc allocates the whole array before it reads the first item. */
class CountedArray extends ArrayType {
  override _read(tap: Tap): unknown {
    const items: unknown[] = [];
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) {
        count = -count;
        tap.skipLong();
      }
      if (count > tap.buf.length - tap.pos)
        throw new MalformedError("more items than bytes");
      while (count-- > 0) items.push(this.itemsType._read(tap));
    }
    return items;
  }
}

/** Keeps an entry named `__proto__`; avsc loses it, because it sets entries by assignment. */
class AnyNames extends MapType {
  override _read(tap: Tap): unknown {
    const entries: Record<string, unknown> = {};
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) {
        count = -count;
        tap.skipLong();
      }
      while (count-- > 0)
        setOwn(entries, tap.readString(), this.valuesType._read(tap));
    }
    return entries;
  }
}

function bufferOf(value: unknown): unknown {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value;
}

/** Throws if the type has an array whose items take no byte: ten bytes could then claim 2^50 items. */
export function refuseEmptyItems(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return;
  seen.add(type);
  if (type instanceof avro.types.ArrayType) {
    if (isEmpty(type.itemsType, new Set()))
      throw new MalformedError("array whose items take no byte");
    refuseEmptyItems(type.itemsType, seen);
  } else if (type instanceof avro.types.MapType) {
    refuseEmptyItems(type.valuesType, seen);
  } else if (type instanceof avro.types.RecordType) {
    for (const field of type.fields) refuseEmptyItems(field.type, seen);
  } else if (
    type instanceof avro.types.UnwrappedUnionType ||
    type instanceof avro.types.WrappedUnionType
  ) {
    for (const branch of type.types) refuseEmptyItems(branch, seen);
  }
}

function isEmpty(type: Type, seen: Set<Type>): boolean {
  if (type.typeName === "null") return true;
  if (type instanceof avro.types.FixedType) return type.size === 0;
  if (!(type instanceof avro.types.RecordType)) return false;
  if (seen.has(type)) return true;
  seen.add(type);
  return type.fields.every((field) => isEmpty(field.type, seen));
}
