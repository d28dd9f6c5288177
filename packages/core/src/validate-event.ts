import { isContentType } from "./content-type.ts";
import { headerProblems } from "./headers.ts";
import { inlinePolicyProblems } from "./inline-policy.ts";
import {
  fewProblems,
  type Problem,
  ProblemList,
  problemsAt,
} from "./problem.ts";
import type { Destination, WebhookEvent } from "./records.ts";
import { secretProblem } from "./secret-rule.ts";
import { parseTime } from "./time.ts";
import { isTraceparent, isTracestate } from "./trace-context.ts";
import { isEventType } from "./type-pattern.ts";
import { judgeUrl, type UrlPolicy } from "./url-policy.ts";

/** Which inline destinations may be used. */
export type InlinePolicy =
  | { readonly kind: "allow" }
  | { readonly kind: "deny" }
  /** Only these hosts, spelled as in a normalised URL. */
  | { readonly kind: "hosts"; readonly hosts: readonly string[] };

export interface EventRules {
  /** Default limit: 262,144. */
  readonly maxPayloadBytes: number;
  readonly url: UrlPolicy;
  readonly inline: InlinePolicy;
}

export const DEFAULT_MAX_PAYLOAD_BYTES = 262_144;
const MAX_ID_LENGTH = 256;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;

const TIMES = ["occurredAt", "notBefore", "expiresAt"] as const;

export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}

/** What is wrong with an event's id, if anything. */
export function eventIdProblem(id: string): Problem | undefined {
  if (id === "")
    return problem(
      "id",
      "required",
      "an id is required: it makes repeats safe",
    );
  if (id.length > MAX_ID_LENGTH)
    return problem("id", "length", `at most ${MAX_ID_LENGTH} characters`);
  if (CONTROL.test(id) || !id.isWellFormed())
    return problem("id", "characters", "no control characters");
  return undefined;
}

/** The problems of an event, each naming its field and rule; empty if the event may be delivered. */
export function validateEvent(
  event: WebhookEvent,
  rules: EventRules,
): Problem[] {
  const problems = new ProblemList();
  const { contentType, payload, traceparent, tracestate } = event;
  problems.addIfAny(eventIdProblem(event.id));
  problems.addIfAny(typeProblem(event.type));
  problems.addIfAny(tenantProblem(event.tenantId));
  if (!isContentType(contentType))
    problems.add(problem("contentType", "syntax", "not a media type"));
  if (payload.length > rules.maxPayloadBytes)
    problems.add(
      problem("payload", "max_bytes", `at most ${rules.maxPayloadBytes} bytes`),
    );
  problems.addAll(headerProblems("headers", event.headers));
  if (traceparent !== null && !isTraceparent(traceparent))
    problems.add(problem("traceparent", "syntax", "not a W3C traceparent"));
  if (tracestate !== null && !isTracestate(tracestate))
    problems.add(problem("tracestate", "syntax", "not a W3C tracestate"));
  for (const field of TIMES)
    problems.addIfAny(timeProblem(field, event[field]));
  if (event.expiresAt !== null && event.expiresAt <= (event.notBefore ?? 0))
    problems.add(
      problem("expiresAt", "after_not_before", "must be later than notBefore"),
    );
  if (event.destination !== null)
    for (const each of destinationProblems(event.destination, rules))
      problems.addIfAny(each);
  return problems.list();
}

function typeProblem(type: string): Problem | undefined {
  if (type === "") return problem("type", "required", "a type is required");
  if (isEventType(type)) return undefined;
  const message =
    "must be dotted words of letters, digits, _ and -, at most 256 characters, such as order.paid";
  return problem("type", "dotted", message);
}

function tenantProblem(tenantId: string | null): Problem | undefined {
  if (tenantId === null)
    return problem("tenantId", "required", "a tenantId is required");
  if (isTenantId(tenantId)) return undefined;
  return problem("tenantId", "pattern", "must match [A-Za-z0-9_-]{1,64}");
}

/** For events read from Avro: their times are not checked on reading, those in JSON are. */
function timeProblem(field: string, at: number | null): Problem | undefined {
  if (at === null || parseTime(at) !== undefined) return undefined;
  return problem(field, "range", "must lie from 1970 to 2199");
}

function destinationProblems(
  destination: Destination,
  rules: EventRules,
): (Problem | undefined)[] {
  const { secret, sealedSecret } = destination;
  return [
    urlProblem(destination.url, rules),
    secret === null && sealedSecret !== null
      ? undefined
      : secretProblem("destination.secret", secret ?? ""),
    ...problemsAt("destination", inlinePolicyProblems(destination)),
  ];
}

function urlProblem(url: string, rules: EventRules): Problem | undefined {
  const field = "destination.url";
  const { inline } = rules;
  if (inline.kind === "deny")
    return problem("destination", "not_allowed", "no inline destinations here");
  const judgement = judgeUrl(url, rules.url);
  if (!judgement.ok) return problem(field, judgement.rule, judgement.message);
  if (inline.kind === "hosts" && !inline.hosts.includes(judgement.url.hostname))
    return problem(field, "not_allowed", "this host is not on the list");
  return undefined;
}

function problem(field: string, rule: string, message: string): Problem {
  return { field, rule, message };
}

/** The problems of an event that was read from JSON: fields of the wrong type, then broken rules of the other fields. */
export function problemsOfParsed(
  parsed: {
    readonly event: WebhookEvent;
    readonly problems: readonly Problem[];
  },
  rules: EventRules,
): Problem[] {
  const broken = validateEvent(parsed.event, rules);
  if (parsed.problems.length === 0) return broken;
  const misread = parsed.problems.map(({ field }) => field);
  // a field of the wrong type holds its default, so a rule that the default breaks is not reported
  const isMisread = (field: string): boolean =>
    misread.some(
      (one) => one === "" || one === field || field.startsWith(`${one}.`),
    );
  return fewProblems([
    ...parsed.problems,
    ...broken.filter(({ field }) => !isMisread(field)),
  ]);
}
