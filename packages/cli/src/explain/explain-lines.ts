/** The explanation of an event in sentences for people. Pure, but for colours. */
import { isOperationalType } from "@postrider/core";
import { visible, type Terminal } from "../terminal.ts";
import { deliveryLines } from "./delivery-lines.ts";
import { endpointName } from "./endpoint-name.ts";
import type {
  Arrival,
  EndpointGroup,
  EndpointNow,
  Explanation,
  NotNamed,
  Place,
} from "./explanation.ts";
import { nextCommands } from "./next-commands.ts";
import { notNamedInWords } from "./words.ts";

export function explainLines(
  explanation: Explanation,
  terminal: Pick<Terminal, "paint">,
): string {
  const { id, type, tenantId, deliveries, sent } = explanation;
  const more = sent.deliveries - deliveries.length;
  const commands = nextCommands(explanation);
  return [
    `${terminal.paint("bold", visible(id))}  ${visible(type)}  tenant ${tenantId ?? "unknown"}`,
    ...arrivalLines(explanation).map(visible),
    ...verdictLines(explanation).map(visible),
    ...deliveries.flatMap((one) => ["", ...deliveryLines(one, terminal)]),
    ...(more > 0 ? ["", `${more} more deliveries are not shown.`] : []),
    ...separated(othersLines(explanation).map(visible)),
    ...(commands.length === 0
      ? []
      : [
          "",
          "What you can do:",
          ...commands.map((one) => `  ${visible(one)}`),
        ]),
  ].join("\n");
}

function separated(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", ...lines];
}

function arrivalLines({
  arrival,
  arrivals,
  deadLetter,
  deliveries,
  type,
}: Explanation): readonly string[] {
  if (arrival === null)
    return [
      deliveries.some(({ lastAttempt }) => lastAttempt?.trigger === "test")
        ? "It is a test event, which control sent to one endpoint: it never came in."
        : "When it came in is not recorded, or not recorded yet.",
    ];
  const { others, count } = arrivals;
  const unseen = count - 1 - others.length;
  return [
    `It came in at ${arrival.receivedAt} as ${sourceOf(arrival, type)}.`,
    ...(others.length === 0
      ? []
      : [
          `It came in ${count} times. The others:`,
          ...others.map(
            (one) =>
              `  ${one.receivedAt}  ${one.decision}  ${placeOf(one.source)}${one.reason === null ? "" : `  ${one.reason}`}`,
          ),
          ...(unseen > 0 ? [`  and ${unseen} more`] : []),
        ]),
    ...(deadLetter === null
      ? []
      : [
          `Its record is kept as a dead letter (${deadLetter.reason}): ${placeOf(deadLetter.place)}.`,
        ]),
  ];
}

function sourceOf({ source }: Arrival, type: string): string {
  const own = isOperationalType(type) ? "from Postrider itself, " : "";
  return source.kind === "events"
    ? `${placeOf(source)}: ${own}by the door, or from a producer of yours`
    : `${placeOf(source)}: from a configured source`;
}

function placeOf({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}@${offset}`;
}

function verdictLines(explanation: Explanation): readonly string[] {
  const { verdict, sent, arrival, type } = explanation;
  const why = arrival?.reason == null ? "" : `: ${arrival.reason}`;
  switch (verdict) {
    case "delivered":
      return [
        sent.endpoints === 1
          ? "It was sent to 1 endpoint, which got it."
          : `It was sent to ${sent.endpoints} endpoints, and all got it.`,
        ...whatWasDecided(arrival),
      ];
    case "nobody":
      return [
        `Nobody was sent it (${arrival?.decision ?? "no arrival"})${why}.`,
      ];
    case "turned_away":
      return [
        `It was turned away (${arrival?.decision}), and nobody was sent it${why}.`,
      ];
    case "duplicate":
      return [
        `It was taken for a repeat, and not sent again${why}. The one before it is not recorded any more.`,
      ];
    default:
      return [sentLine(explanation, type), ...whatWasDecided(arrival)];
  }
}

/** Why it was sent to less than all that want its type, or to nobody before a backfill. */
function whatWasDecided(arrival: Explanation["arrival"]): readonly string[] {
  return arrival?.reason == null
    ? []
    : [`When it was routed (${arrival.decision}): ${arrival.reason}.`];
}

function sentLine({ sent }: Explanation, type: string): string {
  if (sent.endpoints === 0)
    return `It was routed as ${type}; its deliveries are not recorded yet.`;
  const { delivered, waiting, parked, givenUp } = sent;
  const parts = [
    [delivered, "got it"],
    [waiting, "still to get it"],
    [parked, "parked"],
    [givenUp, "given up"],
  ] as const;
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(", ");
  return `It was sent to ${sent.endpoints} endpoint${sent.endpoints === 1 ? "" : "s"}: ${said}.`;
}

/** The endpoints that got no delivery. */
function othersLines(explanation: Explanation): readonly string[] {
  const { arrival, disabled, filtered, notNamed } = explanation;
  // What failed, and where, stands in the decision's reason, which is said before.
  const hasFailed = arrival?.rule === "filter_failed";
  return [
    ...groupLines(disabled, [
      "1 endpoint wanted this type and was disabled then, so nothing was sent:",
      "endpoints wanted this type and were disabled then, so nothing was sent:",
    ]),
    ...groupLines(filtered, [
      `1 endpoint wants this type, but its filter ${hasFailed ? "failed, as said above" : "did not let it through"}:`,
      `endpoints want this type, but their filters ${hasFailed ? "were false, or failed as said above" : "did not let it through"}:`,
    ]),
    ...(notNamed === null ? [] : notNamedLines(notNamed)),
  ];
}

function groupLines(
  { count, endpoints }: EndpointGroup,
  [one, several]: readonly [string, string],
): readonly string[] {
  if (count === 0) return [];
  return [
    count === 1 ? one : `${count} ${several}`,
    ...endpoints.map((endpoint) => `  ${nowOf(endpoint)}`),
    ...moreThan(endpoints.length, count),
  ];
}

function notNamedLines({
  byReason,
  countThen,
  endpoints,
}: NotNamed): readonly string[] {
  const counts = Object.entries(byReason).filter(([, count]) => count > 0);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0)
    return [
      countThen === 0
        ? "The tenant has no other endpoint."
        : `The tenant has no other endpoint now; ${countThen} did not want this type then.`,
    ];
  const said = counts
    .map(([reason, count]) => `${count} ${notNamedInWords(reason, count)}`)
    .join(", ");
  return [
    `Of the tenant's other endpoints ${said}:`,
    ...endpoints.map((endpoint) => {
      const { reason, createdAt, updatedAt } = endpoint;
      const when =
        reason === "created_later"
          ? `; created at ${createdAt}`
          : reason === "changed_later"
            ? `; changed at ${updatedAt}`
            : "";
      return `  ${nowOf(endpoint)}; wants ${endpoint.eventTypes.join(", ")}${when}`;
    }),
    ...moreThan(endpoints.length, all),
  ];
}

function nowOf(endpoint: EndpointNow): string {
  const { state, stateReason } = endpoint;
  const why = stateReason === null ? "" : ` (${stateReason})`;
  const { filter } = endpoint;
  const only = filter == null ? "" : `; its filter is now ${filter}`;
  return `${endpointName(endpoint)}: ${state} now${why}${only}`;
}

function moreThan(shown: number, count: number): readonly string[] {
  return count > shown ? [`  and ${count - shown} more`] : [];
}
