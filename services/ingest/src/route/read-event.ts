import {
  parseJsonEnvelope,
  type Problem,
  type WebhookEvent,
} from "@postrider/core";
import type { Decoder, RawRecord } from "@postrider/messaging";

/** A record of the `events` topic, as read. An unreadable record is a value here, not a failure of the decoder, so that route itself makes its dead letter and its intake record. */
export type RouteInput =
  | {
      readonly kind: "event";
      readonly form: "json" | "avro";
      readonly event: WebhookEvent;
      /** Fields of the wrong type. The stage checks the other rules. */
      readonly problems: readonly Problem[];
    }
  | { readonly kind: "unreadable"; readonly problem: Problem };

/**
 * Reads a record of `events`: as a JSON envelope if the first byte is `{` or the record's `content-type` header is
 * `application/json`, as Avro otherwise. A record waits only if its schema is not known yet.
 */
export function createEventDecoder(
  avro: Decoder<WebhookEvent>,
): Decoder<RouteInput> {
  return (raw) => {
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

function readJson(value: Buffer): ReturnType<Decoder<RouteInput>> {
  const parsed = parseJsonEnvelope(value);
  if (parsed.kind === "unparseable")
    return unreadable(parsed.problem.rule, parsed.problem.message);
  const { event, problems } = parsed;
  return {
    kind: "decoded",
    value: { kind: "event", form: "json", event, problems },
  };
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

/** The first value of a record header as text; empty if there is none. */
export function headerText(raw: RawRecord, name: string): string {
  const value = raw.headers[name];
  const first = Buffer.isBuffer(value) ? value : value?.[0];
  return first?.toString("utf8") ?? "";
}
