/** What the routes of resumes take and answer. */
import { ADMINISTER, described, READ } from "@postrider/http";
import { z } from "zod";
import {
  endpointId,
  etag,
  optionalIfMatch,
} from "../endpoints/endpoint-operations.ts";
import { endpointView } from "../endpoints/endpoint-view.ts";
import { kinds, WRITE_KINDS } from "../http/problem.ts";
import { auditReason, listOf, oneOf, shownTime } from "../http/shown.ts";

/** A resume as the API shows it. */
const resumeView = z
  .strictObject({
    id: z.string().nullable(),
    endpointId: z.string(),
    state: oneOf(["parked", "running", "done", "cancelled", "ended"]),
    detail: z.string().nullable(),
    read: z.int().meta({
      description: "Dead letters that were read so far",
    }),
    total: z.int().meta({
      description: "And in all, as far as the log reached when last looked at",
    }),
    sent: z.int(),
    skipped: z.int(),
    unreadable: z.int().meta({
      description: "Dead letters that could not be read, so were not sent",
    }),
    lost: z.int().meta({ description: "Offsets that the log holds no longer" }),
    places: listOf(
      z.strictObject({
        partition: z.int(),
        from: z.int(),
        position: z.int(),
        end: z.int(),
      }),
    ),
    pausedAt: shownTime.meta({
      description:
        "When the endpoint was paused: first, if a resume has left something",
    }),
    startedAt: shownTime.nullable(),
    finishedAt: shownTime.nullable(),
  })
  .meta({ id: "Resume" });

export type ResumeView = z.infer<typeof resumeView>;

const resumedEndpoint = endpointView
  .extend({
    resume: resumeView
      .nullable()
      .meta({ description: "Null for an endpoint that was never paused" }),
  })
  .meta({ id: "ResumedEndpoint" });

export type ResumedEndpoint = z.infer<typeof resumedEndpoint>;

const tag = "endpoints";
const params = endpointId;
const RESUMED = {
  description: "The endpoint, and the resume that sends what was parked",
  body: resumedEndpoint,
  headers: etag,
};
const A_RESUME = { description: "The resume", body: resumeView };

export const RESUME_OPERATIONS = {
  enable: described(ADMINISTER, {
    id: "enableEndpoint",
    tag,
    summary: "Delivers to it again, and sends what was parked before",
    params,
    headers: z.object({ ...optionalIfMatch, ...auditReason }),
    answers: { 200: RESUMED },
    problems: {
      ...kinds("stale_version", "kafka_unavailable"),
      ...WRITE_KINDS,
    },
  }),
  resume: described(ADMINISTER, {
    id: "resumeEndpoint",
    tag,
    summary: "Delivers to a paused endpoint again, also what was parked",
    params,
    headers: z.object({ ...optionalIfMatch, ...auditReason }),
    answers: { 200: RESUMED },
    problems: {
      ...kinds("conflict", "stale_version", "kafka_unavailable"),
      ...WRITE_KINDS,
    },
  }),
  get: described(READ, {
    id: "getResume",
    tag,
    summary: "How far the resume is",
    params,
    answers: { 200: A_RESUME },
  }),
  cancel: described(ADMINISTER, {
    id: "cancelResume",
    tag,
    summary: "Stops sending what is parked",
    params,
    headers: z.object(auditReason),
    answers: { 200: A_RESUME },
    problems: { ...kinds("conflict"), ...WRITE_KINDS },
  }),
};
