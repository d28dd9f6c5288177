/** CloudEvents 1.0 in Kafka: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md */
import { isJsonContentType } from "./content-type.ts";
import { DEFAULT_CONTENT_TYPE } from "./envelope-fields.ts";
import { unparseable, type ParsedEvent } from "./json-envelope.ts";
import {
  isString,
  objectAt,
  textOf,
  wholeValue,
  type Member,
  type Span,
} from "./json-spans.ts";
import { ProblemList } from "./problem.ts";
import type { WebhookEvent } from "./records.ts";
import { parseTime } from "./time.ts";
import { decodeUtf8, encodeUtf8, fromBase64 } from "./web-globals.ts";

/** An event's attributes by their names, without the prefix `ce_`. */
export type CloudEventAttributes = ReadonlyMap<string, string>;

/**
 * Makes an event of a CloudEvent in binary mode: attributes in headers, the data in the record's value. `contentType` is the
 * header `content-type`. Never throws.
 */
export function readBinaryCloudEvent(
  attributes: CloudEventAttributes,
  contentType: string,
  data: Uint8Array,
): ParsedEvent {
  const problems = new ProblemList();
  const event = eventOf(attributes, problems);
  return {
    kind: "parsed",
    event: {
      ...event,
      contentType: contentType === "" ? DEFAULT_CONTENT_TYPE : contentType,
      payload: data,
    },
    problems: problems.list(),
  };
}

/**
 * Makes an event of a CloudEvent in structured mode, in its JSON format. Its `data` is cut out of the text byte for byte. Where
 * `datacontenttype` is not JSON, data that is a string is its text. Never throws.
 */
export function readStructuredCloudEvent(bytes: Uint8Array): ParsedEvent {
  const whole = wholeValue(bytes);
  if (whole === null) return unparseable("json", "not valid JSON");
  const object = objectAt(bytes, whole.start);
  if (object === null) return unparseable("object", "not a JSON object");
  const problems = new ProblemList();
  const attributes = attributesOf(bytes, object.members, problems);
  const contentType = attributes.get("datacontenttype") ?? DEFAULT_CONTENT_TYPE;
  const event = eventOf(attributes, problems);
  const payload = dataOf(bytes, object.members, contentType);
  if (typeof payload === "string")
    problems.add({ field: "data", rule: "required", message: payload });
  return {
    kind: "parsed",
    event: {
      ...event,
      contentType,
      payload: typeof payload === "string" ? new Uint8Array() : payload,
    },
    problems: problems.list(),
  };
}

/** Members that are data, and no attributes. */
const DATA = new Set(["data", "data_base64"]);
/** What is told to the receiver in other ways, or is nothing to it. */
const NOT_SENT = new Set([
  "datacontenttype",
  "tenantid",
  "traceparent",
  "tracestate",
]);

/**
 * The event without its data. Its id is the CloudEvent's source and id, because only both together are unique. All attributes go
 * to the receiver as headers `ce-…`, as in HTTP's binary mode.
 */
function eventOf(
  attributes: CloudEventAttributes,
  problems: ProblemList,
): WebhookEvent {
  const required = (name: string): string => {
    const value = attributes.get(name) ?? "";
    const message = "every CloudEvent has one";
    if (value === "") problems.add({ field: name, rule: "required", message });
    return value;
  };
  const version = required("specversion");
  if (version !== "" && version !== "1.0")
    problems.add({
      field: "specversion",
      rule: "version",
      message: "only 1.0 is read",
    });
  const id = required("id");
  const source = required("source");
  const time = attributes.get("time");
  const occurredAt = time === undefined ? null : (parseTime(time) ?? null);
  if (time !== undefined && occurredAt === null)
    problems.add({
      field: "time",
      rule: "time",
      message: "must be an RFC 3339 time, from 1970 to 2199",
    });
  return {
    id: id === "" || source === "" ? "" : `${source}:${withoutColons(id)}`,
    type: required("type"),
    tenantId: attributes.get("tenantid") ?? null,
    occurredAt,
    contentType: DEFAULT_CONTENT_TYPE,
    payload: new Uint8Array(),
    destination: null,
    notBefore: null,
    expiresAt: null,
    headers: headersOf(attributes),
    traceparent: attributes.get("traceparent") ?? null,
    tracestate: attributes.get("tracestate") ?? null,
  };
}

/** Behind the last colon of an event's id is the CloudEvent's id: otherwise two pairs of source and id could make the same one. */
function withoutColons(id: string): string {
  return id.replaceAll("%", "%25").replaceAll(":", "%3A");
}

function headersOf(attributes: CloudEventAttributes): Record<string, string> {
  return Object.fromEntries(
    [...attributes]
      .filter(([name]) => !NOT_SENT.has(name))
      .map(([name, value]) => [`ce-${name}`, headerText(value)]),
  );
}

/** HTTP's binding: what is not printable ASCII, spaces, quotes and percent signs are UTF-8 in percent signs. */
function headerText(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^!#$&-~]+/gu, (characters) =>
      Array.from(
        encodeUtf8(characters),
        (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
      ).join(""),
    );
}

/** Strings as they are; numbers and booleans as they are spelled. A null counts as absent. */
function attributesOf(
  bytes: Uint8Array,
  members: readonly Member[],
  problems: ProblemList,
): CloudEventAttributes {
  const attributes = new Map<string, string>();
  for (const { key, value } of members) {
    if (DATA.has(key)) continue;
    const { start, end } = value;
    const text = isString(bytes, start)
      ? textOf(bytes, start, end)
      : (decodeUtf8(bytes.subarray(start, end)) ?? "");
    if (!isString(bytes, start) && /^[[{]/.test(text))
      problems.add({ field: key, rule: "type", message: "must be a string" });
    else if (text === "null" && !isString(bytes, start)) attributes.delete(key);
    else attributes.set(key, text);
  }
  return attributes;
}

/** The data's bytes, or what is wrong with it. An event may have none: no bytes then. */
function dataOf(
  bytes: Uint8Array,
  members: readonly Member[],
  contentType: string,
): Uint8Array | string {
  const last = (name: string): Span | undefined =>
    members.findLast(({ key }) => key === name)?.value;
  const base64 = last("data_base64");
  if (base64 !== undefined) {
    const { start, end } = base64;
    const text = isString(bytes, start) ? textOf(bytes, start, end) : null;
    const data = text === null ? null : fromBase64(text);
    return data ?? "data_base64 must be base64";
  }
  const data = last("data");
  if (data === undefined) return new Uint8Array();
  const { start, end } = data;
  if (isJsonContentType(contentType) || !isString(bytes, start))
    return bytes.subarray(start, end);
  const text = textOf(bytes, start, end);
  return text.isWellFormed()
    ? encodeUtf8(text)
    : "holds half of a surrogate pair";
}
