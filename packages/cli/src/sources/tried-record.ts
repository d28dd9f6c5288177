import {
  DEFAULT_MAX_PAYLOAD_BYTES,
  fewProblems,
  type ParsedEvent,
  type Problem,
  problemsOfParsed,
} from "@postrider/core";
import type { Decoder, RawRecord } from "@postrider/messaging";
import { sleep, systemClock } from "@postrider/runtime";
import { textOf } from "../show-record.ts";

/** What a record of a source would become. */
export interface TriedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  /** Null if the record would be refused; then `problems` says why. */
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly tenantId: string;
    readonly contentType: string;
    /** As text, or `base64:…` if it is none. */
    readonly payload: string;
    readonly payloadBytes: number;
  } | null;
  readonly problems: readonly Problem[];
}

/** How long a schema is looked up, ms. */
const SCHEMA_WITHIN_MS = 10_000;
const SCHEMA_AGAIN_MS = 50;

/** Reads a record as ingest would, and judges it by the same rules. */
export async function tryRecord(
  raw: RawRecord,
  decode: Decoder<ParsedEvent>,
): Promise<TriedRecord> {
  const { topic, partition, offset } = raw;
  const parsed = await parse(raw, decode);
  const isEvent = parsed.kind === "parsed" && parsed.problems.length === 0;
  return {
    topic,
    partition,
    offset,
    timestamp: new Date(raw.timestamp).toISOString(),
    event: isEvent ? shown(parsed.event) : null,
    problems: parsed.kind === "parsed" ? parsed.problems : [parsed.problem],
  };
}

async function parse(
  raw: RawRecord,
  decode: Decoder<ParsedEvent>,
): Promise<ParsedEvent> {
  if (raw.unreadable !== undefined)
    return refusal("unreadable", raw.unreadable.detail);
  const until = systemClock.monotonic() + SCHEMA_WITHIN_MS;
  for (;;) {
    const decoded = decode(raw);
    switch (decoded.kind) {
      case "decoded":
        return judged(decoded.value);
      case "unreadable":
        return refusal(decoded.reason, decoded.detail);
      case "unknown_schema":
        if (systemClock.monotonic() > until)
          return refusal(
            "unknown_schema",
            `the registry does not tell ${decoded.schema}; ingest would wait for it`,
          );
        await sleep(SCHEMA_AGAIN_MS);
    }
  }
}

/** By ingest's rules too: the length of an id, the form of a type, the size of a payload. */
function judged(parsed: ParsedEvent): ParsedEvent {
  if (parsed.kind === "unparseable") return parsed;
  const problems = problemsOfParsed(parsed, {
    maxPayloadBytes:
      Number(process.env["POSTRIDER_MAX_PAYLOAD_BYTES"]) ||
      DEFAULT_MAX_PAYLOAD_BYTES,
    // No source has an inline destination.
    url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
    inline: { kind: "deny" },
  });
  return { ...parsed, problems };
}

function refusal(rule: string, message: string): ParsedEvent {
  const [problem] = fewProblems([{ field: "", rule, message }]);
  return { kind: "unparseable", problem: problem! }; // one in, one out
}

function shown(
  event: Extract<ParsedEvent, { kind: "parsed" }>["event"],
): TriedRecord["event"] {
  const { id, type, tenantId, contentType, payload } = event;
  return {
    id,
    type,
    tenantId: tenantId ?? "",
    contentType,
    payload: textOf(payload),
    payloadBytes: payload.length,
  };
}
