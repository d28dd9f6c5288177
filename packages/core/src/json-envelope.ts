import { isEnvelopeField, readEnvelope } from "./envelope-fields.ts";
import {
  isString,
  objectAt,
  objectsOf,
  skipSpace,
  textOf,
  type Member,
  type Span,
} from "./json-spans.ts";
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
 * ignored. Never throws. The payload is a view of `bytes`, and is not parsed.
 */
export function parseJsonEnvelope(bytes: Uint8Array): ParsedEvent {
  const members = wholeObject(bytes);
  return members === null ? whyNoObject(bytes) : readOne(bytes, members);
}

/** Reads one envelope, or `{"events":[…]}`, and no more than `mostEvents` of it. An object with a `payload` is one event, even if it also has `events`. */
export function parseJsonEnvelopes(
  bytes: Uint8Array,
  mostEvents = Infinity,
): ParsedEvents {
  const members = wholeObject(bytes);
  if (members === null) return whyNoObject(bytes);
  const list = lastOf(members, "events");
  if (list === undefined || lastOf(members, "payload") !== undefined) {
    const one = readOne(bytes, members);
    return { kind: "parsed", isBatch: false, events: [one] };
  }
  const objects = objectsOf(bytes, list.start, mostEvents);
  if (objects === null)
    return unparseable("array", "must be an array of events", "events");
  const events = objects.map((each) => readOne(bytes, each));
  return { kind: "parsed", isBatch: true, events };
}

/** The members of the object that the bytes are; null if they are anything else. */
function wholeObject(bytes: Uint8Array): readonly Member[] | null {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const object = objectAt(bytes, hasMark ? 3 : 0);
  return object !== null && skipSpace(bytes, object.end) === bytes.length
    ? object.members
    : null;
}

/** `members` is null for what is no object. */
function readOne(
  bytes: Uint8Array,
  members: readonly Member[] | null,
): Extract<ParsedEvent, { kind: "parsed" }> {
  if (members === null) {
    const problem = { field: "", rule: "type", message: "must be an object" };
    return {
      ...readEnvelope({}, undefined),
      kind: "parsed",
      problems: [problem],
    };
  }
  const fields: Record<string, unknown> = {};
  for (const { key, value } of members)
    if (isEnvelopeField(key)) fields[key] = valueOf(bytes, value);
  const payload = lastOf(members, "payload");
  const raw = payload && bytes.subarray(payload.start, payload.end);
  return { kind: "parsed", ...readEnvelope(fields, raw) };
}

function lastOf(members: readonly Member[], key: string): Span | undefined {
  return members.findLast((member) => member.key === key)?.value;
}

function valueOf(bytes: Uint8Array, { start, end }: Span): unknown {
  return isString(bytes, start)
    ? textOf(bytes, start, end)
    : JSON.parse(decodeUtf8(bytes.subarray(start, end)) ?? "null");
}

/** Seldom and slow: the whole text is parsed to find out why it is no object. */
function whyNoObject(
  bytes: Uint8Array,
): Extract<ParsedEvent, { kind: "unparseable" }> {
  const text = decodeUtf8(bytes);
  if (text === undefined) return unparseable("utf8", "not valid UTF-8");
  try {
    JSON.parse(text);
    return unparseable("object", "not a JSON object");
  } catch {
    // the parser's own message quotes the text, which may contain a secret
    return unparseable("json", "not valid JSON");
  }
}

/** `field` empty: the record as a whole. */
export function unparseable(
  rule: string,
  message: string,
  field = "",
): { kind: "unparseable"; problem: Problem } {
  return { kind: "unparseable", problem: { field, rule, message } };
}
