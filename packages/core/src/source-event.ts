import { isJsonContentType } from "./content-type.ts";
import { valueAtPath } from "./field-path.ts";
import { unparseable, type ParsedEvent } from "./json-envelope.ts";
import { isString, textOf, wholeValue, type Span } from "./json-spans.ts";
import { ProblemList } from "./problem.ts";
import type { WebhookEvent } from "./records.ts";
import type { Source, SourceField } from "./source.ts";
import { decodeUtf8, encodeUtf8 } from "./web-globals.ts";

/** What is read of a record of a source. */
export interface SourceRecord {
  readonly partition: number;
  readonly offset: number;
  /** The record's value, or the JSON that its Avro was made into. */
  readonly json: Uint8Array;
  /** The first value of a header; undefined if there is none. */
  readonly header: (name: string) => Uint8Array | undefined;
}

/**
 * Makes an event of a source's record. The payload is the record's own bytes: all of them for the path `$`, with white space and
 * byte order mark; else the bytes of the value to which the path leads. If the content type is not JSON and that value is a
 * string, the payload is the string's text. Never throws.
 *
 * The event's id is the topic and the record's id, `shop.orders:1001`, because two sources may use the same ids, or the topic and
 * the record's coordinates, `shop.orders:0:4711`, where the source has no id.
 */
export function readSourceRecord(
  source: Source,
  record: SourceRecord,
): ParsedEvent {
  const whole = wholeValue(record.json);
  // Neither says what stands there: a secret may be anywhere in it.
  if (whole === null)
    return decodeUtf8(record.json) === undefined
      ? unparseable("utf8", "not valid UTF-8")
      : unparseable("json", "not valid JSON");
  const read = new RecordReader(record, whole);
  const { topic, contentType } = source;
  const id =
    source.id === null
      ? `${record.partition}:${record.offset}`
      : read.text("id", source.id);
  const event: WebhookEvent = {
    id: id === "" ? "" : `${topic}:${id}`,
    type: read.text("type", source.type),
    tenantId: read.text("tenantId", source.tenantId) || null,
    occurredAt: null,
    contentType,
    payload: read.payload(source.payload, contentType),
    destination: null,
    notBefore: null,
    expiresAt: null,
    headers: {},
    traceparent: null,
    tracestate: null,
  };
  return { kind: "parsed", event, problems: read.problems.list() };
}

/** Reads fields one by one and collects what does not fit. */
class RecordReader {
  readonly problems = new ProblemList();
  readonly #record: SourceRecord;
  readonly #whole: Span;

  constructor(record: SourceRecord, whole: Span) {
    this.#record = record;
    this.#whole = whole;
  }

  /** The text of a field; empty if there is none, which is a problem then. A number is taken as it is spelled. */
  text(name: keyof WebhookEvent, field: SourceField): string {
    switch (field.kind) {
      case "literal":
        return field.text;
      case "header": {
        const bytes = this.#header(name, field);
        if (bytes === null) return "";
        const text = decodeUtf8(bytes);
        if (text === undefined)
          return this.#refuse(name, field, "utf8", "is not UTF-8");
        return text === "" ? this.#isEmpty(name, field) : text;
      }
      case "path": {
        const span = this.#valueAt(name, field);
        return span === null ? "" : this.#textAt(name, field, span);
      }
    }
  }

  payload(field: SourceField, contentType: string): Uint8Array {
    switch (field.kind) {
      case "literal":
        return encodeUtf8(field.text);
      case "header":
        return this.#header("payload", field) ?? NO_BYTES;
      case "path": {
        const { json } = this.#record;
        const span = this.#valueAt("payload", field);
        if (span === null) return NO_BYTES;
        const { start, end } = span;
        if (!isJsonContentType(contentType) && isString(json, start))
          return this.#plain(field, textOf(json, start, end));
        return field.path.length === 0 ? json : json.subarray(start, end);
      }
    }
  }

  #plain(field: SourceField, text: string): Uint8Array {
    if (!text.isWellFormed())
      this.#refuse(
        "payload",
        field,
        "characters",
        "holds half of a surrogate pair",
      );
    return encodeUtf8(text);
  }

  #header(
    name: keyof WebhookEvent,
    field: Extract<SourceField, { kind: "header" }>,
  ): Uint8Array | null {
    const bytes = this.#record.header(field.name);
    if (bytes !== undefined) return bytes;
    this.#refuse(name, field, "required", "is not there");
    return null;
  }

  #valueAt(
    name: keyof WebhookEvent,
    field: Extract<SourceField, { kind: "path" }>,
  ): Span | null {
    const span = valueAtPath(this.#record.json, field.path, this.#whole);
    if (span === null)
      this.#refuse(name, field, "required", "leads to nothing");
    return span;
  }

  #textAt(name: keyof WebhookEvent, field: SourceField, span: Span): string {
    const { json } = this.#record;
    const { start, end } = span;
    if (isString(json, start)) {
      const text = textOf(json, start, end);
      return text === "" ? this.#isEmpty(name, field) : text;
    }
    const text = decodeUtf8(json.subarray(start, end)) ?? "";
    if (text === "null")
      return this.#refuse(name, field, "required", "leads to null");
    return /^[-0-9]/.test(text)
      ? text
      : this.#refuse(name, field, "type", "must lead to a string or a number");
  }

  #isEmpty(name: keyof WebhookEvent, field: SourceField): string {
    return this.#refuse(name, field, "required", "is empty");
  }

  #refuse(
    name: keyof WebhookEvent,
    field: SourceField,
    ...[rule, what]: [rule: string, what: string]
  ): "" {
    const message = `${placeOf(field)} ${what}`;
    this.problems.add({ field: name, rule, message });
    return "";
  }
}

const NO_BYTES = new Uint8Array();

function placeOf(field: SourceField): string {
  switch (field.kind) {
    case "literal":
      return "the literal";
    case "header":
      return `the header ${field.name}`;
    case "path":
      return `the path ${field.text}`;
  }
}
