import {
  readSourceRecord,
  type ParsedEvent,
  type Source,
} from "@postrider/core";
import type { RawRecord } from "../record.ts";
import type { Decoded, Decoder } from "../stage.ts";

/**
 * Makes the decoder of a source's records. What does not become an event is a value, too (`unparseable`), with the field and the
 * rule. Only a schema that the registry lacks, now or for good, is a fault of the decoder. `avroAsJson` reads Avro in the
 * registry's framing as JSON (`Schemas.asJson`).
 */
export function createSourceDecoder(
  source: Source,
  avroAsJson: Decoder<Buffer>,
): Decoder<ParsedEvent> {
  return (raw) => {
    if (raw.value === null || raw.value.length === 0)
      return unparseable("required", "the record has no value");
    if (source.format === "json") return read(source, raw, raw.value);
    const decoded = avroAsJson(raw);
    switch (decoded.kind) {
      case "decoded":
        return read(source, raw, decoded.value);
      case "unreadable":
        // The registry has no such schema (404), which another registration mends; as for `events`.
        if (decoded.reason === "unknown_schema") return decoded;
        return unparseable("format", decoded.detail);
      case "unknown_schema":
        return decoded;
    }
  };
}

function read(
  source: Source,
  raw: RawRecord,
  json: Buffer,
): Decoded<ParsedEvent> {
  const { partition, offset } = raw;
  const header = (name: string): Buffer | undefined => firstHeader(raw, name);
  return {
    kind: "decoded",
    value: readSourceRecord(source, { partition, offset, json, header }),
  };
}

function firstHeader({ headers }: RawRecord, name: string): Buffer | undefined {
  const held = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return held === undefined || Buffer.isBuffer(held) ? held : held[0];
}

function unparseable(rule: string, message: string): Decoded<ParsedEvent> {
  const problem = { field: "", rule, message };
  return { kind: "decoded", value: { kind: "unparseable", problem } };
}
