/** Options that say which past deliveries are meant, and the body that they make for control. */
import { DEAD_LETTER_REASONS, parseTime, type EpochMs } from "@postrider/core";
import { duration, integer, list, oneOf, type Parse } from "@postrider/runtime";
import { InvalidArgumentError, Option, type Command } from "commander";
import { option, repeated } from "./command.ts";

export interface Selecting {
  readonly tenant?: string;
  readonly endpoint?: string | undefined;
  readonly eventType?: readonly string[];
  readonly delivery?: readonly string[];
  readonly sql?: string;
  readonly status?: readonly string[];
  readonly reason?: readonly string[];
  readonly statusCode?: number;
  readonly since?: EpochMs;
  readonly until?: EpochMs;
  readonly deadSince?: EpochMs | undefined;
  readonly deadUntil?: EpochMs | undefined;
}

const TIME =
  "a time (RFC 3339), such as 2026-01-31T08:00:00Z, or how long ago, such as 6h or 7d";

/** RFC 3339, or how long ago: `6h`. */
export const time: Parse<EpochMs> = Object.assign(
  (text: string) => {
    const at = parseTime(text);
    if (at !== undefined) return at;
    try {
      return Math.max(0, Date.now() - duration(text));
    } catch {
      throw new Error(`must be ${TIME}`);
    }
  },
  { expects: TIME },
);

/** Reasons for which a delivery can be redriven; one that is parked is sent by its endpoint's resume. */
const REASONS = DEAD_LETTER_REASONS.filter((reason) => reason !== "paused");

export function withSelection(made: Command): Command {
  return withConditions(made)
    .option(
      "--since <time>",
      "only of events received then or later: RFC 3339, or how long ago, such as 6h",
      option(time),
    )
    .option("--until <time>", "only of events received before", option(time))
    .option("--dead-since <time>", "only given up then or later", option(time))
    .option("--dead-until <time>", "only given up before", option(time))
    .option("--delivery <id>", "this delivery; may be repeated", repeated)
    .option(
      "--sql <select>",
      "deliveries whose ids this SELECT of yours returns (DESCRIBE deliveries)",
    )
    .addOption(
      new Option(
        "--status <status>",
        "expired (the default) or delivered; several with commas, or repeated",
      ).argParser(someOf(["expired", "delivered"])),
    );
}

/** The conditions that dead letters have. Their times are those of `dead-letters list`: when they were given up. */
export function withDeadLetters(made: Command): Command {
  return withConditions(made)
    .option(
      "--since <time>",
      "only given up then or later, whenever the event was received: RFC 3339, or how long ago, such as 6h",
      option(time),
    )
    .option("--until <time>", "only given up before", option(time));
}

function withConditions(made: Command): Command {
  return made
    .option("--tenant <id>", "only this tenant's")
    .option("--endpoint <id>", "only to this endpoint")
    .option(
      "--event-type <pattern>",
      "only of events of this type: order.paid or order.*; may be repeated",
      repeated,
    )
    .addOption(
      new Option(
        "--reason <reason>",
        `only given up for this reason; several with commas, or repeated: ${REASONS.join(", ")}`,
      ).argParser(reasons),
    )
    .option(
      "--status-code <n>",
      "only where the last attempt was answered with this HTTP status",
      option(integer(100, 599)),
    );
}

/** The condition's fields for control; those that were not given are left out. */
export function selectionOf(given: Selecting): Record<string, unknown> {
  return {
    tenantId: given.tenant,
    endpointId: given.endpoint,
    eventTypes: given.eventType,
    deliveryIds: given.delivery,
    sql: given.sql,
    statuses: given.status,
    reasons: given.reason,
    statusCode: given.statusCode,
    receivedSince: given.since,
    receivedUntil: given.until,
    deadSince: given.deadSince,
    deadUntil: given.deadUntil,
  };
}

function someOf(allowed: readonly string[]) {
  const parse = option(oneOf(allowed));
  return (text: string, before: readonly string[] = []): string[] => [
    ...before,
    ...option(list)(text).map(parse),
  ];
}

const someReasons = someOf(REASONS);

function reasons(text: string, before?: readonly string[]): string[] {
  if (text.split(",").some((reason) => reason.trim() === "paused"))
    throw new InvalidArgumentError(
      "A delivery that is parked (paused) is sent when its endpoint is resumed: npx postrider endpoints resume ID",
    );
  return someReasons(text, before);
}
