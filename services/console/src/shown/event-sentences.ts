/** What became of an event, as sentences for people. A word that this page does not know is shown as it is: control may be newer. */
import type {
  EndpointGroup,
  EndpointNow,
  ExplainedDelivery,
  Explanation,
} from "../api/answers-event.ts";
import { counted } from "./amounts.ts";
import {
  attemptSentence,
  deadLetterSentence,
  deferralSentence,
} from "./sentences.ts";

/** Who got it, in one sentence. */
export function verdictSentence(event: Explanation): string {
  const { verdict, sent, arrival } = event;
  const why = arrival?.reason == null ? "." : `: ${arrival.reason}.`;
  const to = `It was sent to ${counted(sent.endpoints, "endpoint")}`;
  switch (verdict) {
    case "nobody":
      return `Nobody was sent it${why}`;
    case "turned_away":
      return `It was turned away, and nobody was sent it${why}`;
    case "duplicate":
      return `It was taken for a repeat, and not sent again${why}`;
    case "delivered":
      return sent.endpoints === 1
        ? `${to}, which got it.`
        : `${to}, and all got it.`;
    case "partly_delivered":
    case "under_way":
    case "parked":
    case "given_up":
      return sent.endpoints === 0
        ? "It was routed; its deliveries are not recorded yet."
        : `${to}: ${howFar(event)}.`;
    default:
      return `It is ${verdict.replaceAll("_", " ")}.`;
  }
}

function howFar({ sent }: Explanation): string {
  return (
    [
      [sent.delivered, "got it"],
      [sent.waiting, "still to get it"],
      [sent.parked, "parked"],
      [sent.givenUp, "given up"],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(", ");
}

/** How it came in. */
export function arrivalSentence({ arrival, type }: Explanation): string {
  if (arrival === null)
    return "not recorded: it is a test event, or its arrival is not written yet";
  if (arrival.source.kind !== "events") return "from a configured source";
  return type.startsWith("postrider.")
    ? "from Postrider itself"
    : "by the door, or from a producer of yours";
}

/** What a delivery's attempts showed, what it waits for, or why it was given up. */
export function deliverySentence(delivery: ExplainedDelivery): string {
  const { status, lastAttempt, isSentAgain } = delivery;
  const showed = lastAttempt === null ? [] : [attemptSentence(lastAttempt)];
  if (status === "delivered") return showed.join(" ") || "It was delivered.";
  return [
    ...showed,
    ...whatFollows(delivery),
    ...(isSentAgain ? ["It was sent again since."] : endpointSince(delivery)),
  ].join(" ");
}

const LATE = "That is overdue: a service may be behind or down.";

function whatFollows(delivery: ExplainedDelivery): readonly string[] {
  const { waitsFor, deferralReason, isOverdue, deadLetter } = delivery;
  const late = isOverdue ? [LATE] : [];
  switch (waitsFor) {
    case null:
      return deadLetter === null ? [] : [deadLetterSentence(deadLetter.reason)];
    case "resume":
      return [
        "It is parked, because its endpoint was paused: a resume sends it.",
      ];
    case "first_attempt":
      return ["It waits for its first attempt.", ...late];
    case "retry":
      return ["It will be tried again.", ...late];
    default:
      return [deferralSentence(deferralReason), ...late];
  }
}

/** What has become of the endpoint, where that decides what follows. */
function endpointSince(delivery: ExplainedDelivery): readonly string[] {
  const { endpoint, waitsFor } = delivery;
  const { state, stateReason } = endpoint;
  const why = stateReason === null ? "" : ` (${stateReason})`;
  if (state === "deleted") return ["The endpoint is deleted now."];
  const matters =
    state === "disabled" || state === "paused" || waitsFor === "resume";
  return matters ? [`The endpoint is ${state} now${why}.`] : [];
}

/** Endpoints that were sent nothing, for one reason. */
export interface Others {
  readonly why: string;
  readonly endpoints: readonly EndpointNow[];
  /** How many more there are. */
  readonly hidden: number;
}

const NOT_NAMED: Readonly<
  Record<string, readonly [one: string, many: string]>
> = {
  event_types: ["does not want its type.", "do not want its type."],
  created_later: [
    "was created after it came in.",
    "were created after it came in.",
  ],
  changed_later: [
    "wants its type now, and was changed after it came in.",
    "want its type now, and were changed after it came in.",
  ],
  not_read_yet: [
    "was so new that it was not known yet.",
    "were so new that they were not known yet.",
  ],
};

export function othersOf(event: Explanation): readonly Others[] {
  const { disabled, filtered, notNamed } = event;
  const { byReason = {}, endpoints = [] } = notNamed ?? {};
  return [
    othersFrom(disabled, [
      "wanted its type and was disabled then.",
      "wanted its type and were disabled then.",
    ]),
    othersFrom(filtered, [
      "wants its type, but its filter did not let it through.",
      "want its type, but their filters did not let it through.",
    ]),
    ...Object.entries(byReason).map(([reason, count]) =>
      othersFrom(
        { count, endpoints: endpoints.filter((one) => one.reason === reason) },
        NOT_NAMED[reason] ?? [`${reason}.`, `${reason}.`],
      ),
    ),
  ].filter(({ endpoints: shown, hidden }) => shown.length + hidden > 0);
}

function othersFrom(
  { count, endpoints }: EndpointGroup,
  [one, many]: readonly [string, string],
): Others {
  return {
    why: `${counted(count, "endpoint")} ${count === 1 ? one : many}`,
    endpoints,
    hidden: count - endpoints.length,
  };
}
