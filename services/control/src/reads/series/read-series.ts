import type { EpochMs } from "@postrider/core";
import { z } from "zod";
import { rfc3339 } from "../../http/rfc3339.ts";
import { listOf, shownTime } from "../../http/shown.ts";
import {
  isOneOf,
  isStatus,
  isText,
  rowsOf,
  timeOf,
  type Condition,
} from "../lists/list.ts";
import type { Reading } from "../reading.ts";
import {
  DIMENSIONS,
  MAX_BUCKETS,
  type Dimension,
  type SeriesAsked,
} from "./series-parameters.ts";

const point = z.strictObject({
  at: shownTime.meta({
    description:
      "The start of the step; the first one may begin before `since`, and has what is after it",
  }),
  attempts: z.int(),
  delivered: z.int(),
  successShare: z.number().meta({ description: "0 to 1" }),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
});
type Point = z.infer<typeof point>;

const group = z.strictObject({
  key: z.string().nullable().meta({
    description:
      "What the attempts of the group have in common; null where they have none of it, and for the others",
  }),
  isOther: z
    .boolean()
    .meta({ description: "All that is in none of the largest groups" }),
  attempts: z.int(),
  delivered: z.int(),
  points: listOf(point).meta({
    description: "Oldest first. A step without attempts has no point",
  }),
});
type Group = z.infer<typeof group>;

export const series = z
  .strictObject({
    since: shownTime,
    until: shownTime,
    stepMs: z.int(),
    by: z.string().nullable(),
    groups: listOf(group).meta({
      description: "Those with the most attempts first, the others last",
    }),
  })
  .meta({ id: "Series" });
export type Series = z.infer<typeof series>;

/** Attempts over time. The percentiles are of a digest, exact within a hundredth. */
export async function readSeries(
  reading: Pick<Reading, "query">,
  asked: SeriesAsked,
  gone: AbortSignal,
): Promise<Series> {
  const { since, until, stepMs, by, groups } = asked;
  const conditions = [
    ...isText("tenant_id", "tenantId", asked.tenantId),
    ...ofEndpoints(asked.endpointIds),
    ...isText("event_type", "eventType", asked.eventType),
    ...isOneOf("outcome", "outcome", asked.outcome),
    ...isOneOf("status", "status", asked.status),
    ...isStatus("status_code", asked.statusCode),
  ];
  const where = [
    `r.started_at >= ${timeOf("since")}`,
    `r.started_at < ${timeOf("until")}`,
    "r.attempt_number > 0",
    ...conditions.map(({ sql }) => sql),
  ].join(" AND ");
  const answer = await reading.query(sqlOf(by, where), gone, {
    ...Object.assign({}, ...conditions.map(({ values }) => values)),
    since,
    until,
    stepMs,
    groups,
    limit: (MAX_BUCKETS + 1) * (groups + 1),
  });
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    stepMs,
    by,
    groups: groupsOf(rowsOf<SeriesRow>(answer)),
  };
}

/** By `IN`, which can use the table's key. */
function ofEndpoints(ids: readonly string[] | undefined): readonly Condition[] {
  return ids === undefined
    ? []
    : [
        {
          sql: "r.endpoint_id IN {endpointIds:Array(String)}",
          values: { endpointIds: ids },
        },
      ];
}

type SeriesRow = readonly [
  at: EpochMs,
  isTop: number,
  key: string,
  attempts: number,
  delivered: number,
  quantiles: readonly number[],
];

/**
 * One reading of the window, and one more for the largest groups where there is a dimension. Nothing of an attempt that is there twice
 * differs, so the conditions may come before the merge of `FINAL`. Which groups are the largest is asked without it: a row that is there twice weighs twice there, and is counted once in
 * what is answered.
 */
function sqlOf(by: Dimension | null, where: string): string {
  const top =
    by === null
      ? ""
      : `WITH top AS (
  SELECT ${DIMENSIONS[by]} AS top_key FROM attempts AS r
  PREWHERE ${where}
  GROUP BY top_key ORDER BY count() DESC, top_key LIMIT {groups:UInt32}
)
`;
  const group =
    by === null
      ? "1 AS is_top, '' AS group_key"
      : `(${DIMENSIONS[by]} IN (SELECT top_key FROM top)) AS is_top, if(is_top, ${DIMENSIONS[by]}, '') AS group_key`;
  return `${top}SELECT intDiv(toUnixTimestamp64Milli(r.started_at), {stepMs:Int64}) * {stepMs:Int64} AS bucket, ${group},
  count(), countIf(r.outcome = 'delivered'), quantilesTDigest(0.5, 0.95, 0.99)(r.duration_ms)
FROM attempts AS r FINAL
PREWHERE ${where}
GROUP BY bucket, is_top, group_key
ORDER BY bucket, is_top DESC, group_key
LIMIT {limit:UInt32}`;
}

function groupsOf(rows: readonly SeriesRow[]): readonly Group[] {
  const byGroup = Map.groupBy(rows, ([, isTop, key]) => `${isTop} ${key}`);
  return [...byGroup.values()]
    .map((of): Group => {
      const [, isTop = 0, key = ""] = of[0] ?? [];
      return {
        key: key === "" ? null : key,
        isOther: isTop === 0,
        attempts: of.reduce((sum, [, , , attempts]) => sum + attempts, 0),
        delivered: of.reduce((sum, [, , , , delivered]) => sum + delivered, 0),
        points: of.map(pointOf),
      };
    })
    .toSorted(
      (one, other) =>
        Number(one.isOther) - Number(other.isOther) ||
        other.attempts - one.attempts,
    );
}

function pointOf([at, , , attempts, delivered, quantiles]: SeriesRow): Point {
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = quantiles.map(Math.round);
  const successShare = Number((delivered / attempts).toFixed(4));
  return {
    at: rfc3339(at),
    attempts,
    delivered,
    successShare,
    p50Ms,
    p95Ms,
    p99Ms,
  };
}
