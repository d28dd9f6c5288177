import {
  problemsAt,
  type EpochMs,
  type EventRules,
  type WebhookEvent,
} from "@postrider/core";
import type { TypeCatalogue } from "@postrider/event-types";
import { type CommonProblem, invalid, ProblemError } from "@postrider/http";
import { UnfitValueError, type OutRecord } from "@postrider/messaging";
import type { KeyRing } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";
import { DoorProblem } from "./door-problem.ts";
import type { DoorSpans, SentEvents } from "./door-spans.ts";
import type { ClaimEnd, IdempotencyKeys } from "./idempotency-keys.ts";
import type { PatientSender, SendResult } from "./patient-sender.ts";
import { type EventsRequest, readRequest } from "./read-request.ts";
import { sealDestination } from "../secrets/seal-destination.ts";
import { refuseUnfit } from "./refuse-unfit.ts";

export interface AcceptOptions {
  readonly rules: EventRules;
  readonly types: Pick<TypeCatalogue, "problemsOf" | "behind">;
  readonly keyRing: KeyRing;
  readonly sender: Pick<PatientSender, "send">;
  readonly keys: Pick<IdempotencyKeys, "claim">;
  readonly now: () => EpochMs;
  /** Null without tracing. */
  readonly spans: DoorSpans | null;
}

/** The part of the door's answer for one accepted event. */
export interface AcceptedEvent {
  readonly id: string;
  readonly tenantId: string;
}

/**
 * Accepts a request's events: resolves when the broker has acknowledged all of them, or had before, under the same
 * `Idempotency-Key`. Throws a `ProblemError`. After `not_acknowledged` the events may or may not be accepted: the caller
 * must repeat the request, which is safe. After any other, nothing was accepted.
 */
export async function acceptEvents(
  request: EventsRequest,
  options: AcceptOptions,
): Promise<AcceptedEvent[]> {
  const read = readRequest(request, options.rules);
  if (read.kind === "refused") throw invalid(read.problems);
  const answer = read.events.map(({ id, tenantId }) => ({ id, tenantId }));
  const claim = options.keys.claim(request, read.events);
  if (claim.isAccepted) return answer;
  let spans: SentEvents | null = null;
  const records: OutRecord[] = [];
  let result: SendResult;
  try {
    await refuseUnfit(read, options.types);
    spans = options.spans?.sending(read.events, request) ?? null;
    for (const event of spans?.events ?? read.events)
      records.push(recordOf(event, options));
    result = await options.sender.send(records, request.body.length);
  } catch (thrown) {
    const isRefused =
      thrown instanceof UnfitValueError || thrown instanceof ProblemError;
    claim.end(isRefused ? "nothing" : "in_doubt");
    const error =
      thrown instanceof UnfitValueError ? unfit(thrown, records) : thrown;
    spans?.failed(error);
    throw error;
  }
  claim.end(CLAIM_ENDS[result]);
  spans?.ended(result);
  switch (result) {
    case "acknowledged":
      return answer;
    case "full":
      throw unavailable(
        "busy",
        "Nothing was accepted. Send it again later.",
        5,
      );
    case "late":
    case "stopped":
      throw unavailable(
        "not_acknowledged",
        "The events may or may not have been accepted. Send them again with the same ids: repeats are recognised.",
        result === "late" ? 5 : 1,
      );
  }
}

const CLAIM_ENDS: Readonly<Record<SendResult, ClaimEnd>> = {
  acknowledged: "accepted",
  full: "nothing",
  late: "in_doubt",
  stopped: "in_doubt",
};

/** The record of an event. Its plain secret is sealed first: no plain secret may reach Kafka from the door. */
function recordOf(event: ValidEvent, options: AcceptOptions): OutRecord {
  const { tenantId, id: eventId, destination } = event;
  const value: WebhookEvent = {
    ...event,
    destination: destination && {
      ...destination,
      secret: null,
      sealedSecret: sealDestination(
        destination,
        { tenantId, eventId },
        { keyRing: options.keyRing, now: options.now() },
      ).sealedSecret,
    },
  };
  return { topic: "events", key: `${tenantId}:${eventId}`, value };
}

/** The problem of an event that passes validation but does not fit the Avro schema. It is `invalid`, because sending it again gives the same answer. */
function unfit(
  { field, rule, record }: UnfitValueError,
  records: readonly OutRecord[],
): CommonProblem {
  const problem = { field, rule: "schema", message: `must be ${rule}` };
  const place = `events[${records.indexOf(record)}]`;
  return invalid(records.length > 1 ? problemsAt(place, [problem]) : [problem]);
}

function unavailable(
  code: "busy" | "not_acknowledged",
  detail: string,
  retryAfterSeconds: number,
): DoorProblem {
  return new DoorProblem(code, detail, {
    headers: { "retry-after": String(retryAfterSeconds) },
  });
}
