/** What the routes of replays take and answer. */
import { ADMINISTER, described, READ } from "@postrider/http";
import { z } from "zod";
import { kinds, QUERY_KINDS, WRITE_KINDS } from "../http/problem.ts";
import { auditReason, idOf, listOf, nextCursor } from "../http/shown.ts";
import { MAX_WHY, replayBody } from "./replay-input.ts";
import { replayListQuery } from "./replay-list.ts";
import { preview, replay } from "./replay-view.ts";

export const whyBody = z.strictObject({
  why: z
    .string()
    .max(MAX_WHY)
    .optional()
    .meta({ description: "Where `x-audit-reason` gives none" }),
});

const tag = "replays";
const params = idOf("replay", "rpl_3nZ0p2cWk0pJt5m8n1xQvR7s");
const ONE = { description: "The replay", body: replay };
const SELECTION = {
  tenantId: "acme",
  reasons: ["exhausted"],
  deadSince: "2026-11-28T00:00:00Z",
};

const steering = (id: string, summary: string) =>
  described(ADMINISTER, {
    id,
    tag,
    summary,
    params,
    headers: z.object(auditReason),
    body: { schema: whyBody, isOptional: true, example: { why: "too fast" } },
    answers: { 200: ONE },
    problems: { ...kinds("conflict"), ...WRITE_KINDS },
  });

export const REPLAY_OPERATIONS = {
  preview: described(READ, {
    id: "previewReplay",
    tag,
    summary: "What a replay would send again",
    body: { schema: replayBody, isOptional: true, example: SELECTION },
    answers: { 200: { description: "The counts", body: preview } },
    problems: { ...kinds("query_refused"), ...QUERY_KINDS },
  }),
  create: described(ADMINISTER, {
    id: "createReplay",
    tag,
    summary: "Sends past deliveries again",
    description:
      "Needs the `selectedAt` that a preview answered, or `confirm: true` for what is selected now.",
    headers: z.object(auditReason),
    body: {
      schema: replayBody,
      isOptional: true,
      example: { ...SELECTION, selectedAt: "2026-11-29T12:00:00.000Z" },
    },
    answers: { 201: { ...ONE, headers: { location: "The replay's path" } } },
    problems: {
      ...kinds("conflict", "query_refused"),
      ...QUERY_KINDS,
      ...WRITE_KINDS,
    },
  }),
  list: described(READ, {
    id: "listReplays",
    tag,
    summary: "Lists replays, newest first",
    query: replayListQuery,
    answers: {
      200: {
        description: "The newest",
        body: z
          .strictObject({
            replays: listOf(replay),
            nextCursor,
            truncated: z.boolean(),
          })
          .meta({ id: "ReplayList" }),
      },
    },
  }),
  get: described(READ, {
    id: "getReplay",
    tag,
    summary: "How far a replay is",
    params,
    answers: { 200: ONE },
  }),
  pause: steering("pauseReplay", "Stops a replay until it is resumed"),
  resume: steering("resumeReplay", "Lets a paused replay go on"),
  cancel: steering("cancelReplay", "Ends a replay"),
};
