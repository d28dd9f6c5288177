/** What the routes that read the recorded rows take and answer, but for the lists. */
import { described, READ, READ_ALL } from "@postrider/http";
import { z } from "zod";
import { SAVED_QUERIES } from "../cookbook/cookbook.ts";
import { kinds, QUERY_KINDS, READ_KINDS } from "../http/problem.ts";
import { idOf, listOf } from "../http/shown.ts";
import { eventPayload } from "./event-payload.ts";
import { eventView } from "./event-view.ts";
import { explanation } from "./explain/explanation.ts";
import { exact } from "../http/list-parameters.ts";
import { series } from "./series/read-series.ts";
import { seriesQuery } from "./series/series-parameters.ts";
import { deliveryWithTimeline } from "./timeline/read-timeline.ts";

export const eventQuery = z.strictObject({
  tenantId: z.string().min(1).max(64).optional().meta({
    description: "Needed where several tenants have an event of this id",
  }),
});

export const deliveryQuery = z.strictObject({ tenantId: exact.optional() });

export const queryBody = z.strictObject({
  sql: z.string().meta({ description: "One statement that only reads" }),
});

const queryAnswer = z
  .strictObject({
    columns: listOf(z.strictObject({ name: z.string(), type: z.string() })),
    rows: listOf(listOf(z.unknown())).meta({
      description: "Integers are exact in the text, also beyond 2^53",
    }),
    truncated: z
      .boolean()
      .meta({ description: "There are more rows than may be shown" }),
    elapsedMs: z.int(),
  })
  .meta({ id: "QueryAnswer" });

const ROWS = {
  description: "The rows",
  body: queryAnswer,
  example: {
    columns: [
      { name: "event_id", type: "String" },
      { name: "duration_ms", type: "Int32" },
    ],
    rows: [["evt_1001", 72]],
    truncated: false,
    elapsedMs: 8,
  },
};

const savedQueries = z
  .strictObject({
    queries: listOf(
      z.strictObject({
        name: z.string(),
        title: z.string(),
        description: z.string(),
        sql: z.string(),
        parameters: listOf(
          z.strictObject({
            name: z.string(),
            type: z.string(),
            default: z
              .string()
              .nullable()
              .meta({ description: "Null: it must be given" }),
            description: z.string(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "SavedQueries" });

/** Every parameter of any saved query. Which ones a query has, the list says. */
function savedQueryParameters(): z.ZodObject {
  const byName = Map.groupBy(
    SAVED_QUERIES.flatMap(({ parameters }) => Object.entries(parameters)),
    ([name]) => name,
  );
  return z.strictObject(
    Object.fromEntries(
      [...byName].map(([name, [first]]) => [
        name,
        z
          .string()
          .optional()
          .meta({ description: first?.[1].description ?? "" }),
      ]),
    ),
  );
}

export const READ_OPERATIONS = {
  event: described(READ, {
    id: "getEvent",
    tag: "events",
    summary: "What became of an event",
    description: "A moment behind what happened.",
    params: idOf("event", "evt_1001"),
    query: eventQuery,
    answers: { 200: { description: "The event", body: eventView } },
    problems: { ...kinds("ambiguous_event"), ...READ_KINDS },
  }),
  payload: described(READ, {
    id: "getEventPayload",
    tag: "events",
    summary: "What was published",
    params: idOf("event", "evt_1001"),
    query: eventQuery,
    answers: {
      200: {
        description: "The payload",
        body: eventPayload,
        example: {
          contentType: "application/json",
          headers: {},
          payloadBytes: 16,
          payload: '{"orderId":1001}',
          encoding: "utf8",
        },
      },
    },
    problems: { ...kinds("ambiguous_event"), ...READ_KINDS },
  }),
  explain: described(READ, {
    id: "explainEvent",
    tag: "events",
    summary: "Who got an event, who did not, and why",
    description:
      "What was recorded, a moment behind what happened, with the endpoints as they are now. The errors of a 404 say where else the event may be.",
    params: idOf("event", "evt_1001"),
    query: eventQuery,
    answers: { 200: { description: "The explanation", body: explanation } },
    problems: { ...kinds("ambiguous_event"), ...READ_KINDS },
  }),
  delivery: described(READ, {
    id: "getDelivery",
    tag: "deliveries",
    summary: "One delivery with its timeline",
    params: idOf("delivery", "dlv_i_IxHJcZuxp042eu7Q857GGa"),
    query: deliveryQuery,
    answers: {
      200: { description: "The delivery", body: deliveryWithTimeline },
    },
    problems: QUERY_KINDS,
  }),
  series: described(READ, {
    id: "getSeries",
    tag: "deliveries",
    summary: "Attempts over time, by one dimension",
    query: seriesQuery,
    answers: { 200: { description: "The series", body: series } },
    problems: QUERY_KINDS,
  }),
  query: described(READ_ALL, {
    id: "query",
    tag: "queries",
    summary: "Your own SQL over ClickHouse, read-only",
    body: {
      schema: queryBody,
      example: { sql: "SELECT event_id, duration_ms FROM attempts" },
    },
    answers: { 200: ROWS },
    problems: { ...kinds("query_refused"), ...QUERY_KINDS },
  }),
  savedQueries: described(READ, {
    id: "listSavedQueries",
    tag: "queries",
    summary: "The saved queries",
    answers: { 200: { description: "All of them", body: savedQueries } },
  }),
  savedQuery: described(READ, {
    id: "askSavedQuery",
    tag: "queries",
    summary: "Asks a saved query",
    description:
      "Each has some of these parameters: `GET /v1/queries` says which.",
    params: z.strictObject({
      name: z.enum(SAVED_QUERIES.map(({ name }) => name)),
    }),
    query: savedQueryParameters(),
    answers: { 200: ROWS },
    problems: QUERY_KINDS,
  }),
};
