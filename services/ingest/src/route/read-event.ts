import {
  type ParsedEvent,
  parseJsonEnvelope,
  type Problem,
  type WebhookEvent,
} from "@postrider/core";
import type { Decoder, RawRecord } from "@postrider/messaging";
import { readCloudEvent } from "./cloud-events.ts";
import { headerText } from "./header-text.ts";

/** A record of the `events` topic, or of a configured source, as read. An unreadable record is a value here, not a failure of the decoder, so that route itself makes its dead letter and its intake record. */
export type RouteInput =
  | {
      readonly kind: "event";
      readonly form: "json" | "avro" | "cloud_event" | "source";
      readonly event: WebhookEvent;
      /** Fields of the wrong type, or that a source's record lacks. The stage checks the other rules. */
      readonly problems: readonly Problem[];
    }
  | { readonly kind: "unreadable"; readonly problem: Problem };

/**
 * Reads a record of `events`: as a CloudEvent if its headers say so (cloud-events.ts), as a JSON envelope if the first byte is
 * `{` or the record's `content-type` header is `application/json`, as Avro otherwise. A record waits only if its schema is not
 * known yet.
 */
export function createEventDecoder(
  avro: Decoder<WebhookEvent>,
): Decoder<RouteInput> {
  return (raw) => {
    const cloudEvent = readCloudEvent(raw);
    if (cloudEvent !== null) return decodedAs("cloud_event", cloudEvent);
    if (raw.value === null || raw.value.length === 0)
      return unreadable("required", "the record has no value");
    if (isJson(raw.value, raw)) return readJson(raw.value);
    const decoded = avro(raw);
    switch (decoded.kind) {
      case "decoded": {
        const event = decoded.value;
        return {
          kind: "decoded",
          value: { kind: "event", form: "avro", event, problems: [] },
        };
      }
      case "unreadable":
        // the registry has no such schema (404): not a format error, so the runner makes the dead letter, with the reason unknown_schema
        if (decoded.reason === "unknown_schema") return decoded;
        return unreadable(
          "format",
          `neither a JSON envelope nor an Avro WebhookEvent: ${decoded.detail}`,
        );
      case "unknown_schema":
        return decoded;
    }
  };
}

/** Reads a record of a configured source, as `decode` makes an event of it. */
export function createSourceEventDecoder(
  decode: Decoder<ParsedEvent>,
): Decoder<RouteInput> {
  return (raw) => {
    const decoded = decode(raw);
    return decoded.kind === "decoded"
      ? decodedAs("source", decoded.value)
      : decoded;
  };
}

function readJson(value: Buffer): ReturnType<Decoder<RouteInput>> {
  return decodedAs("json", parseJsonEnvelope(value));
}

function decodedAs(
  form: Extract<RouteInput, { kind: "event" }>["form"],
  parsed: ParsedEvent,
): ReturnType<Decoder<RouteInput>> {
  if (parsed.kind === "unparseable")
    return unreadable(parsed.problem.rule, parsed.problem.message);
  const { event, problems } = parsed;
  return { kind: "decoded", value: { kind: "event", form, event, problems } };
}

function unreadable(
  rule: string,
  message: string,
): ReturnType<Decoder<RouteInput>> {
  const problem = { field: "", rule, message };
  return { kind: "decoded", value: { kind: "unreadable", problem } };
}

const OPEN_BRACE = 0x7b;
/** Space, tab, line feed, carriage return. */
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** White space and a byte order mark may come before the brace: no Avro framing begins with either. */
function isJson(value: Buffer, raw: RawRecord): boolean {
  let at = value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf ? 3 : 0;
  while (SPACES.has(value[at] ?? 0)) at += 1;
  return (
    value[at] === OPEN_BRACE ||
    /^application\/json(?:\s*;|\s*$)/i.test(headerText(raw, "content-type"))
  );
}
