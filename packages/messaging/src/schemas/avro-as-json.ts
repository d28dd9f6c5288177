/** Decodes Avro in the registry's framing as JSON text, whatever its schema is. Never throws. */
import type { WriterSchema } from "./avro-codec.ts";
import { jsonWriterOf, type JsonWriter } from "./avro-json.ts";
import type { Decoded, Decoder } from "../stage.ts";

/** A zero byte, and the id in four. */
const HEADER_BYTES = 5;

/** `byId` answers at once, from memory (`WriterSchemas`). How a schema is written is worked out once per id, and kept. */
export function createAvroAsJson(
  byId: (id: number) => WriterSchema,
): Decoder<Buffer> {
  const known = new Map<number, JsonWriter | { readonly refusal: string }>();
  return ({ value }) => {
    if (value === null || value[0] !== 0 || value.length < HEADER_BYTES)
      return unreadable(
        "not Avro in the registry's framing: a zero byte and the schema's id in four bytes come first",
      );
    const id = value.readInt32BE(1);
    let write = known.get(id);
    if (write === undefined) {
      const found = byId(id);
      switch (found.kind) {
        case "unknown":
          return {
            ...found,
            kind: "unknown_schema",
            schema: `registry id ${id}`,
          };
        case "absent":
          return {
            kind: "unreadable",
            reason: "unknown_schema",
            detail: found.detail,
          };
        case "found":
          write = writerOf(found.json);
          known.set(id, write);
      }
    }
    if (typeof write !== "function")
      return unreadable(`schema ${id}: ${write.refusal}`);
    try {
      return { kind: "decoded", value: write(value, HEADER_BYTES) };
    } catch (error) {
      return unreadable(`schema ${id}: ${reasonOf(error)}`);
    }
  };
}

function writerOf(json: string): JsonWriter | { readonly refusal: string } {
  try {
    return jsonWriterOf(json);
  } catch (error) {
    return { refusal: reasonOf(error) };
  }
}

function unreadable(detail: string): Decoded<never> {
  return { kind: "unreadable", reason: "unreadable", detail };
}

/** A value that is nested too deeply ends in a RangeError of the stack. */
function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return "nested too deeply";
  return error instanceof Error ? error.message : String(error);
}
