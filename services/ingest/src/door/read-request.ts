import {
  eventIdOfKey,
  type EventRules,
  parseJsonEnvelopes,
  type Problem,
  ProblemList,
  problemsAt,
  problemsOfParsed,
  readTraceContext,
} from "@postrider/core";
import { otherTenant } from "@postrider/http";
import { sha256Text } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";

/** The most events of one request. */
export const MAX_BATCH = 1_000;
const MAX_KEY_LENGTH = 256;

export interface EventsRequest {
  readonly body: Uint8Array;
  /** The tenant of the caller's key, to which every event then belongs; null: each event names its own. */
  readonly tenantId: string | null;
  /** The `Idempotency-Key` header. */
  readonly idempotencyKey: string | undefined;
  /** The `traceparent` header, used for events without their own `traceparent`. */
  readonly traceparent: string | undefined;
  /** The `tracestate` header, which goes with it. */
  readonly tracestate: string | undefined;
}

/** The result: either all events, every one valid, or the problems of all events. */
export type ReadRequest =
  | {
      readonly kind: "events";
      readonly events: readonly ValidEvent[];
      /** Whether they came as a list. */
      readonly isBatch: boolean;
    }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/**
 * Reads the body of `POST /v1/events`. All or nothing: one problem in any event refuses the whole request. With an
 * `Idempotency-Key`, the events' ids are made from it and from their places in the batch.
 */
export function readRequest(
  request: EventsRequest,
  rules: EventRules,
): ReadRequest {
  // One more than may be shows that there are too many, and the others need not be read.
  const parsed = parseJsonEnvelopes(request.body, MAX_BATCH + 1);
  if (parsed.kind === "unparseable") return refused(inBody(parsed.problem));
  const { events, isBatch } = parsed;
  if (isBatch && (events.length === 0 || events.length > MAX_BATCH))
    return refused({
      field: "events",
      rule: "size",
      message: `must be from 1 to ${MAX_BATCH} events`,
    });
  const key = request.idempotencyKey;
  const keyProblem = key === undefined ? undefined : idempotencyKeyProblem(key);
  if (keyProblem !== undefined) return refused(keyProblem);

  const inherited = readTraceContext(request.traceparent, request.tracestate);
  const list = new ProblemList();
  const accepted: ValidEvent[] = [];
  for (const [index, given] of events.entries()) {
    const one = ofTenant(given, request.tenantId);
    const event =
      one.event.traceparent === null
        ? { ...one.event, ...inherited }
        : one.event;
    const named =
      key === undefined
        ? { ...one, event }
        : withKey(one, event, { key: keyAt(key, index), isBatch });
    const found = problemsOfParsed(named, rules);
    list.addAll(
      isBatch ? problemsAt(`events[${index}]`, found) : found.map(inBody),
    );
    const { tenantId } = named.event;
    if (tenantId !== null) accepted.push({ ...named.event, tenantId });
  }
  const problems = list.list();
  if (problems.length > 0) return { kind: "refused", problems };
  return { kind: "events", events: accepted, isBatch };
}

type Parsed = Parameters<typeof problemsOfParsed>[0];

/** The event as one of the caller's tenant, which it may leave out and may not contradict. */
function ofTenant(one: Parsed, tenantId: string | null): Parsed {
  const given = one.event.tenantId;
  if (tenantId === null || given === tenantId) return one;
  const event = { ...one.event, tenantId };
  const problems =
    given === null ? one.problems : [...one.problems, otherTenant("tenantId")];
  return { event, problems };
}

/** The event with the id made from the key. An event that has an id too is refused, because it is not clear which of the two should count. */
function withKey(
  one: Parsed,
  event: Parsed["event"],
  { key, isBatch }: { readonly key: string; readonly isBatch: boolean },
): Parsed {
  if (event.id !== "" || one.problems.some(({ field }) => field === "id")) {
    const problem = isBatch ? { ...NAMED_TWICE, field: "id" } : NAMED_TWICE;
    return { event, problems: [...one.problems, problem] };
  }
  // a missing tenant is reported as a problem of its own
  const id = eventIdOfKey(sha256Text, event.tenantId ?? "", key);
  return { ...one, event: { ...event, id } };
}

/** What names the event at this place. A key has no spaces, so no two requests' names are the same. The first is the key itself: it then names the same event whether or not the event is sent as a batch. */
function keyAt(key: string, index: number): string {
  return index === 0 ? key : `${key} ${index}`;
}

const NAMED_TWICE: Problem = {
  field: "idempotency-key",
  rule: "no_id",
  message:
    "the idempotency-key names the event in place of an id: send one of the two",
};

function idempotencyKeyProblem(key: string): Problem | undefined {
  const field = "idempotency-key";
  if (!/^[\u0021-\u007e]+$/.test(key) || key.length > MAX_KEY_LENGTH)
    return {
      field,
      rule: "characters",
      message: `must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters without spaces`,
    };
  return undefined;
}

/** Sets the field `body` for a problem without a field. But the count of further problems stays without a field. */
function inBody(problem: Problem): Problem {
  const isWhole = problem.field === "" && problem.count === undefined;
  return isWhole ? { ...problem, field: "body" } : problem;
}

function refused(problem: Problem): ReadRequest {
  return { kind: "refused", problems: [problem] };
}
