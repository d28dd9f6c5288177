import {
  blankSecret,
  type DeadLetter,
  type Destination,
  type EpochMs,
  type Problem,
  REDACTED,
  redactedHeaders,
  type WebhookEvent,
} from "@postrider/core";
import {
  type OutRecord,
  rawDeadLetter,
  type RawRecord,
} from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import type { KnownEvent } from "./intake-records.ts";
import type { RouteInput } from "./read-event.ts";
import { sealRaw } from "../secrets/seal-raw.ts";

export interface RejectedRecord {
  readonly raw: RawRecord;
  readonly input: RouteInput;
  readonly known: KnownEvent;
  /** One or more. The first one gives `field` and `rule` of the dead letter. */
  readonly problems: readonly Problem[];
}

export interface RejectContext {
  readonly keyRing: KeyRing;
  /** Encodes an event as Avro: a refused event is stored again without its secrets. */
  readonly encodeEvent: (event: WebhookEvent) => Buffer;
  readonly now: EpochMs;
}

/**
 * The dead letter of a record that is not an event or breaks a rule. A value that could not be parsed, of a CloudEvent or of a
 * configured source is kept sealed, because a secret may be anywhere in it. Any other is kept plain, with its secrets blanked.
 */
export function rejectedRecord(
  rejected: RejectedRecord,
  context: RejectContext,
): OutRecord {
  const { raw, input, known, problems } = rejected;
  const [first] = problems;
  const detail = problems.map(describe).join("; ");
  const value: DeadLetter = {
    ...rawDeadLetter(raw, {
      reason: input.kind === "unreadable" ? "unreadable" : "invalid",
      detail,
      stage: "route",
      deadAt: context.now,
    }),
    // Not cut again: the problems are few and short already.
    detail,
    field: first?.field ?? null,
    rule: first?.rule ?? null,
    ...known,
    ...keptValue(rejected, context),
  };
  return { topic: "dead-letters", key: raw.key, value };
}

/** A problem as one line for people: `destination.url: the scheme must be https`. */
export function describe(problem: Problem): string {
  return problem.field === ""
    ? problem.message
    : `${problem.field}: ${problem.message}`;
}

function keptValue(
  { raw, input }: RejectedRecord,
  { keyRing, encodeEvent }: RejectContext,
): Pick<DeadLetter, "rawValue" | "rawKid"> {
  if (raw.value === null || input.kind === "unreadable")
    return sealRaw(raw, keyRing);
  const { event, form } = input;
  switch (form) {
    case "json":
      return { rawValue: blankSecret(raw.value), rawKid: null };
    case "cloud_event":
    case "source":
      // Where a secret may be in them nobody has said.
      return sealRaw(raw, keyRing);
    case "avro":
      break;
  }
  const destination = event.destination && withoutSecret(event.destination);
  const headers = redactedHeaders(event.headers);
  const rawValue = encodeEvent({ ...event, destination, headers });
  return { rawValue, rawKid: null };
}

function withoutSecret(destination: Destination): Destination {
  return {
    ...destination,
    secret: destination.secret === null ? null : REDACTED,
    // a refused URL may carry a password
    url: destination.url.includes("@") ? REDACTED : destination.url,
  };
}
