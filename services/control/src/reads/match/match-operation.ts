/** What `POST /v1/endpoints/match` takes and answers. */
import { described, READ } from "@postrider/http";
import { z } from "zod";
import { eventTypes } from "../../endpoints/endpoint-input.ts";
import { filter } from "../../endpoints/filter-input.ts";
import { exact, WINDOW } from "../../http/list-parameters.ts";
import { kinds, READ_KINDS } from "../../http/problem.ts";
import { listOf, shownTime } from "../../http/shown.ts";

export const matchBody = z.strictObject({
  ...WINDOW,
  endpointId: exact.optional().meta({
    description: "Whose filter and types are asked, where they are not given",
  }),
  filter: filter.optional(),
  eventTypes: eventTypes.optional(),
  eventId: exact.optional().meta({
    description: "Ask of this event alone, whatever its type",
  }),
});

export const matchAnswer = z
  .strictObject({
    filter: z.string(),
    tenantId: z.string(),
    eventTypes: listOf(z.string()),
    since: shownTime,
    until: shownTime.nullable().meta({ description: "Null: now" }),
    events: z.int().meta({ description: "How many there are" }),
    read: z.int().meta({
      description:
        "Of how many the filter was asked, `unknown` included. Fewer than `events` where time ran out",
    }),
    passed: z.int(),
    filtered: z.int(),
    failed: z.int().meta({ description: "It was neither true nor false" }),
    unknown: z.int().meta({ description: "Their payload was not kept" }),
    failures: listOf(
      z.strictObject({ reason: z.string(), count: z.int() }),
    ).meta({ description: "Why it failed, the most frequent first" }),
  })
  .meta({ id: "FilterMatch" });

export type MatchAnswer = z.infer<typeof matchAnswer>;

export const MATCH_OPERATION = described(READ, {
  id: "matchFilter",
  tag: "endpoints",
  summary: "Counts the past events that a filter would have taken",
  description:
    "Asks the filter about recorded events: by default of the last day, of the types of the endpoint, or all. It reads for some seconds at most, in the order of the events' ids, so that what it has read is a sample of the whole time where ids are random, and its oldest part where they grow with time.",
  body: {
    schema: matchBody,
    example: { tenantId: "acme", filter: "payload.total > 100", since: "7d" },
  },
  answers: {
    200: {
      description: "What it would have done",
      body: matchAnswer,
      example: {
        filter: "payload.total > 100",
        tenantId: "acme",
        eventTypes: ["*"],
        since: "2026-11-23T00:00:00.000Z",
        until: null,
        events: 1204,
        read: 1204,
        passed: 310,
        filtered: 880,
        failed: 12,
        unknown: 2,
        failures: [
          {
            reason: "column 8, at `.total > 100`: no such key",
            count: 12,
          },
        ],
      },
    },
  },
  problems: { ...kinds("not_found"), ...READ_KINDS },
});
