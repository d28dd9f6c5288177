import { readEnvelope } from "./envelope-fields.ts";
import { elementsOf, membersOf, type Span } from "./json-spans.ts";
import type { Problem } from "./problem.ts";
import type { WebhookEvent } from "./records.ts";
import { decodeUtf8 } from "./web-globals.ts";

/** One parsed JSON envelope. */
export type ParsedEvent =
  | {
      readonly kind: "parsed";
      /** A field that is absent or of the wrong type gets its default; an absent `id` or `type` is empty. */
      readonly event: WebhookEvent;
      /** Fields of the wrong type. If there are any, use the event only to name its id, type and tenant in a report. */
      readonly problems: readonly Problem[];
    }
  | { readonly kind: "unparseable"; readonly problem: Problem };

/** The parsed body of `POST /v1/events`: one event, or several. */
export type ParsedEvents =
  | {
      readonly kind: "parsed";
      readonly isBatch: boolean;
      readonly events: readonly Extract<ParsedEvent, { kind: "parsed" }>[];
    }
  | { readonly kind: "unparseable"; readonly problem: Problem };

/**
 * Reads one JSON envelope. The payload is cut out of the text byte for byte: 64-bit integers, key order, repeated keys
 * and the spelling of numbers survive. If the content type is not JSON and the payload is a JSON string, the payload is
 * the string's text. If an envelope field is repeated, the last one counts, as with JSON.parse. Unknown fields are
 * ignored. Never throws.
 */
export function parseJsonEnvelope(bytes: Uint8Array): ParsedEvent {
  const text = parseText(bytes);
  if (text.kind === "unparseable") return text;
  if (!isObject(text.value)) return unparseable("object", "not a JSON object");
  return readOne(bytes, { start: text.start, end: bytes.length }, text.value);
}

/** Reads one envelope, or `{"events":[…]}`. An object with a `payload` is one event, even if it also has `events`. */
export function parseJsonEnvelopes(bytes: Uint8Array): ParsedEvents {
  const text = parseText(bytes);
  if (text.kind === "unparseable") return text;
  const { value, start } = text;
  if (!isObject(value)) return unparseable("object", "not a JSON object");
  if (!Object.hasOwn(value, "events") || Object.hasOwn(value, "payload")) {
    const one = readOne(bytes, { start, end: bytes.length }, value);
    return { kind: "parsed", isBatch: false, events: [one] };
  }
  const list = value["events"];
  if (!Array.isArray(list))
    return unparseable("array", "must be an array of events", "events");

  const at = lastMember(bytes, start, "events")?.start ?? start;
  const events = elementsOf(bytes, at).map((span, index) => {
    const element: unknown = list[index];
    return readOne(bytes, span, isObject(element) ? element : undefined);
  });
  return { kind: "parsed", isBatch: true, events };
}

function readOne(
  bytes: Uint8Array,
  span: Span,
  fields: Readonly<Record<string, unknown>> | undefined,
): Extract<ParsedEvent, { kind: "parsed" }> {
  if (fields === undefined) {
    const problem = { field: "", rule: "type", message: "must be an object" };
    return {
      ...readEnvelope({}, undefined),
      kind: "parsed",
      problems: [problem],
    };
  }
  const payload = lastMember(bytes, span.start, "payload");
  const raw = payload && bytes.subarray(payload.start, payload.end);
  return { kind: "parsed", ...readEnvelope(fields, raw) };
}

function lastMember(
  bytes: Uint8Array,
  from: number,
  key: string,
): Span | undefined {
  return membersOf(bytes, from).findLast((member) => member.key === key)?.value;
}

type Text =
  | { readonly kind: "text"; readonly value: unknown; readonly start: number }
  | { readonly kind: "unparseable"; readonly problem: Problem };

function parseText(bytes: Uint8Array): Text {
  const text = decodeUtf8(bytes);
  if (text === undefined) return unparseable("utf8", "not valid UTF-8");
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  try {
    const value: unknown = JSON.parse(text);
    return { kind: "text", value, start: hasMark ? 3 : 0 };
  } catch {
    // the parser's own message quotes the text, which may contain a secret
    return unparseable("json", "not valid JSON");
  }
}

function unparseable(
  rule: string,
  message: string,
  field = "",
): { kind: "unparseable"; problem: Problem } {
  return { kind: "unparseable", problem: { field, rule, message } };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
