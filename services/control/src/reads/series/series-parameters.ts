import {
  OUTCOMES,
  STATUSES,
  type EpochMs,
  type Outcome,
  type Status,
} from "@postrider/core";
import { invalid } from "@postrider/http";
import { duration } from "@postrider/runtime";
import { z } from "zod";
import {
  exact,
  readAsked,
  someOf,
  statusCodes,
  WINDOW,
  wholeNumber,
  type StatusCodes,
} from "../../http/list-parameters.ts";

/** What the attempts are grouped by, each as a text: '' where there is none. */
export const DIMENSIONS = {
  endpointId: "r.endpoint_id",
  tenantId: "toString(r.tenant_id)",
  eventType: "toString(r.event_type)",
  outcome: "toString(r.outcome)",
  statusCode: "ifNull(toString(r.status_code), '')",
  errorCode: "toString(r.error_code)",
  trigger: "toString(r.trigger)",
  tier: "toString(r.tier)",
  deadLetterReason: "toString(r.dead_letter_reason)",
  worker: "toString(r.worker)",
} as const;

export type Dimension = keyof typeof DIMENSIONS;

/** So many buckets of 20 groups and the rest stay below the 10,000 rows that a query may answer. */
export const MAX_BUCKETS = 400;
const MAX_GROUPS = 20;
const MAX_WINDOW_MS = 32 * 86_400_000;
const DAY_MS = 86_400_000;

/** No id of an endpoint has a comma. So many that each can have its own group. */
const someEndpoints = z
  .string()
  .min(1)
  .transform((text) => text.split(","))
  .pipe(z.array(exact).max(MAX_GROUPS))
  .meta({
    description: `One, or up to ${MAX_GROUPS} with commas between`,
  });

export const seriesQuery = z.strictObject({
  ...WINDOW,
  endpointId: someEndpoints.optional(),
  eventType: exact.optional(),
  outcome: someOf(OUTCOMES).optional(),
  status: someOf(STATUSES).optional(),
  statusCode: statusCodes.optional(),
  by: z
    .enum(Object.keys(DIMENSIONS) as [Dimension, ...Dimension[]])
    .optional()
    .meta({
      description: "What the groups have in common; default: one group",
    }),
  step: z
    .string()
    .meta({
      description: `A duration from \`1s\` to \`1d\`, at most ${MAX_BUCKETS} in the window`,
    })
    .transform((text, context) => stepOf(text) ?? refused(context))
    .optional(),
  groups: wholeNumber(1, MAX_GROUPS)
    .default(10)
    .meta({ description: "The largest so many" }),
});

export interface SeriesAsked {
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly stepMs: number;
  readonly by: Dimension | null;
  readonly groups: number;
  readonly tenantId: string | undefined;
  readonly endpointIds: readonly string[] | undefined;
  readonly eventType: string | undefined;
  readonly outcome: readonly Outcome[] | undefined;
  readonly status: readonly Status[] | undefined;
  readonly statusCode: StatusCodes | undefined;
}

/** Throws a `ProblemError` that names every wrong parameter. */
export function readSeriesAsked(query: unknown, now: EpochMs): SeriesAsked {
  const asked = readAsked(seriesQuery, query, now);
  const until = asked.until ?? now;
  const since = asked.since ?? until - DAY_MS;
  if (since >= until) refuse("since", "before", "must be before until");
  if (until - since > MAX_WINDOW_MS)
    refuse("since", "window", "must be at most 32 days before until");
  const stepMs = asked.step ?? niceStep(until - since);
  if ((until - since) / stepMs > MAX_BUCKETS)
    refuse(
      "step",
      "buckets",
      `must be at least ${Math.ceil((until - since) / MAX_BUCKETS / 1000)}s: a window has at most ${MAX_BUCKETS} steps`,
    );
  return {
    since,
    until,
    stepMs,
    by: asked.by ?? null,
    groups: asked.groups,
    tenantId: asked.tenantId,
    endpointIds: asked.endpointId,
    eventType: asked.eventType,
    outcome: asked.outcome,
    status: asked.status,
    statusCode: asked.statusCode,
  };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NICE = [
  SECOND,
  10 * SECOND,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
];

/** So that the window has some hundred steps at most. */
function niceStep(windowMs: number): number {
  return NICE.find((stepMs) => windowMs / stepMs <= 100) ?? DAY_MS;
}

function stepOf(text: string): number | undefined {
  try {
    const stepMs = duration(text);
    return stepMs >= SECOND && stepMs <= DAY_MS ? stepMs : undefined;
  } catch {
    return undefined;
  }
}

function refused(context: z.RefinementCtx): never {
  context.addIssue({
    code: "custom",
    params: { rule: "duration" },
    message: "must be a duration from 1s to 1d, such as 5m",
  });
  return z.NEVER;
}

function refuse(field: string, rule: string, message: string): never {
  throw invalid([{ field, rule, message }]);
}
