/** One delivery in sentences. */
import { visible, type Terminal } from "../terminal.ts";
import { endpointName } from "./endpoint-name.ts";
import type { ExplainedDelivery } from "./explanation.ts";
import { deadLetterInWords, deferralInWords } from "./words.ts";

export function deliveryLines(
  delivery: ExplainedDelivery,
  terminal: Pick<Terminal, "paint">,
): readonly string[] {
  const { id, endpoint, replayId } = delivery;
  const by = replayId === null ? "" : `, sent by replay ${replayId}`;
  return [
    `${terminal.paint("bold", visible(endpointName(endpoint)))}: ${headOf(delivery)}`,
    ...sentences(delivery).map((sentence) => `  ${visible(sentence)}`),
    `  (${id}${by})`,
  ];
}

function headOf(delivery: ExplainedDelivery): string {
  const { status, waitsFor, isSentAgain } = delivery;
  if (status === "delivered") return "delivered.";
  if (waitsFor === "resume") return "parked.";
  if (waitsFor !== null)
    return delivery.attempts > 0 ? "not delivered yet." : "not sent yet.";
  return isSentAgain ? "given up, and sent again since." : "given up.";
}

function sentences(delivery: ExplainedDelivery): readonly string[] {
  return [
    ...whatAttemptsShowed(delivery),
    ...whyGivenUp(delivery),
    ...whatWaits(delivery),
    ...whatOfBreaker(delivery),
    ...endpointSince(delivery),
  ];
}

function whatAttemptsShowed({
  attempts,
  outcomes,
  lastAttempt,
  status,
}: ExplainedDelivery): readonly string[] {
  if (lastAttempt === null)
    return attempts === 0 ? [] : [`${counted(attempts)} made.`];
  const { attemptNumber, startedAt, error } = lastAttempt;
  if (status === "delivered" && lastAttempt.outcome === "delivered")
    return [
      `Attempt ${attemptNumber} at ${startedAt} was answered ${lastAttempt.statusCode}.`,
    ];
  const each = outcomes
    .map(
      (one) => `${shown(one)}${one.count > 1 ? ` (${one.count} times)` : ""}`,
    )
    .join(", ");
  const last = error === null ? "" : `: ${error}`;
  return [
    `${counted(attempts)} made: ${each}. The last began at ${startedAt}${last}.`,
  ];
}

function counted(attempts: number): string {
  return attempts === 1 ? "1 attempt was" : `${attempts} attempts were`;
}

function shown(of: {
  readonly outcome: string;
  readonly statusCode: number | null;
}): string {
  return of.statusCode === null ? of.outcome : `${of.outcome} ${of.statusCode}`;
}

function whyGivenUp({
  deadLetter,
  status,
}: ExplainedDelivery): readonly string[] {
  if (status === "delivered" || deadLetter === null) return [];
  const { reason, detail, place } = deadLetter;
  const where =
    place === null
      ? ""
      : ` Its dead letter is ${place.topic}/${place.partition}@${place.offset}.`;
  if (reason === "paused") {
    const of = detail === null ? "" : ` (${detail})`;
    return [
      `Its endpoint was paused${of}: it waits until somebody resumes the endpoint.${where}`,
    ];
  }
  const more = detail === null ? "" : `; ${detail}`;
  return [
    `It was given up (${reason}): ${deadLetterInWords(reason)}${more}.${where}`,
  ];
}

/** The dispatcher cannot tell a deleted endpoint from one that it has not read yet; control can. */
const DELETED =
  "its endpoint was deleted, and it is given up once the dispatcher has not known the endpoint for a minute";

function whatWaits(delivery: ExplainedDelivery): readonly string[] {
  const { waitsFor, deferralReason, nextAttemptAt, isOverdue } = delivery;
  if (waitsFor === null || waitsFor === "resume") return [];
  const late = isOverdue
    ? ["Nothing further is recorded since: a service may be behind or down."]
    : [];
  const tier = delivery.tier === null ? "" : ` (in the tier ${delivery.tier})`;
  if (waitsFor === "first_attempt")
    return ["It waits for its turn in the topic deliveries.", ...late];
  if (waitsFor === "retry")
    return [`The next attempt is due at ${nextAttemptAt}${tier}.`, ...late];
  const why =
    deferralReason === "endpoint_unknown" &&
    delivery.endpoint.state === "deleted"
      ? DELETED
      : deferralInWords(deferralReason ?? "");
  const limit = delivery.endpoint.rateLimit;
  const rate =
    deferralReason === "rate_limited" && limit !== null
      ? ` (now ${limit.perSecond} a second, ${limit.burst} at once)`
      : "";
  return [
    `It waits without spending an attempt (${deferralReason}): ${why}${rate}.`,
    ...(nextAttemptAt === null
      ? []
      : [
          `That wait was to end at ${nextAttemptAt}${tier}; it may be put off again.`,
        ]),
    ...late,
  ];
}

function whatOfBreaker({ breaker }: ExplainedDelivery): readonly string[] {
  if (breaker === null) return [];
  const { openedAt, detail } = breaker;
  return [
    `The endpoint's circuit breaker opened at ${openedAt}${detail === "" ? "" : ` (${detail})`}, and no closing is recorded.`,
  ];
}

/** What has become of the endpoint, where that decides what follows. */
function endpointSince({
  endpoint,
  status,
  waitsFor,
}: ExplainedDelivery): readonly string[] {
  if (status === "delivered") return [];
  const why = endpoint.stateReason === null ? "" : ` (${endpoint.stateReason})`;
  switch (endpoint.state) {
    case "deleted":
      return ["The endpoint does not exist any more."];
    case "disabled":
      return [`The endpoint is disabled now${why}.`];
    case "paused":
      return [`The endpoint is paused now${why}.`];
    case "enabled":
      return waitsFor === "resume"
        ? ["The endpoint is enabled now: a resume sends it, or was cancelled."]
        : [];
    default:
      return [];
  }
}
