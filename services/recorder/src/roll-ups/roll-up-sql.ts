/** The SQL of the comparison and of the repair. Pure: texts only. */
import { dayOf, endOf, type Day, type RollUp } from "./roll-up.ts";

export interface Place {
  readonly database: string;
  readonly rollUp: RollUp;
  readonly day: Day;
}

/**
 * A row for each bucket of the day: by how much the rows of `attempts` are more (`by_…`, negative: fewer) than what `tables` have
 * counted. `n` is the bucket's number of attempts, `raw_longest` and `counted_longest` the longest of them. `tables` is the roll-up
 * alone, or with a staging table that has what is to be added. Attempts are read FINAL: one that was recorded twice is one.
 */
function differences(
  { database, rollUp, day }: Place,
  tables: readonly string[],
): string {
  const { owner, bucket, counts, hasLongest } = rollUp;
  const key = owner.join(", ");
  const raw = `SELECT ${key}, ${bucket} AS bucket, ${counts.map(([column, sql]) => `toInt64(${sql}) AS x_${column}`).join(", ")},
      toInt64(count()) AS x_raw, toInt32(max(a.duration_ms)) AS x_raw_longest, toInt32(0) AS x_counted_longest
    FROM ${database}.attempts AS a FINAL
    WHERE a.attempt_number > 0 AND ${within("a.started_at", day)}
    GROUP BY ${key}, bucket`;
  const counted = tables.map(
    (table) =>
      `SELECT ${key}, r.bucket AS bucket, ${counts.map(([column]) => `-reinterpretAsInt64(sum(r.${column})) AS x_${column}`).join(", ")},
      toInt64(0) AS x_raw, toInt32(0) AS x_raw_longest, toInt32(${hasLongest ? "max(r.max_duration_ms)" : "0"}) AS x_counted_longest
    FROM ${database}.${table} AS r
    WHERE ${within("r.bucket", day)}
    GROUP BY ${key}, bucket`,
  );
  return `SELECT ${key}, bucket, ${counts.map(([column]) => `sum(x_${column}) AS by_${column}`).join(", ")},
    sum(x_raw) AS n, max(x_raw_longest) AS raw_longest, max(x_counted_longest) AS counted_longest
  FROM (${[raw, ...counted].join("\n    UNION ALL ")})
  GROUP BY ${key}, bucket`;
}

/** The bucket lacks something, and nothing in it is more than the rows of `attempts` say. */
function isShort({ counts, hasLongest }: RollUp): string {
  const by = counts.map(([column]) => `by_${column}`);
  const longest = hasLongest ? " OR raw_longest > counted_longest" : "";
  return `(${by.map((each) => `${each} >= 0`).join(" AND ")}) AND (${by.map((each) => `${each} > 0`).join(" OR ")}${longest})`;
}

/** Something in the bucket is more than the rows of `attempts` say. A longest attempt that is gone from `attempts` does not count. */
function isOver({ counts }: RollUp): string {
  return `(${counts.map(([column]) => `by_${column} < 0`).join(" OR ")})`;
}

/** One row; numbers as text: `raw` and `counted` attempts, the buckets that are short and over, and for each column of the roll-up by how much, in the order of `counts`. */
export function comparison(place: Place, tables: readonly string[]): string {
  const { rollUp } = place;
  const short = isShort(rollUp);
  const over = isOver(rollUp);
  const texts = (of: (column: string) => string): string =>
    `[${rollUp.counts.map(([column]) => `toString(${of(`by_${column}`)})`).join(", ")}]`;
  return `SELECT toString(sum(n)) AS raw, toString(sum(n - by_attempts)) AS counted,
  toString(countIf(${short})) AS short_buckets, toString(countIf(${over})) AS over_buckets,
  ${texts((by) => `sumIf(${by}, ${short})`)} AS short_by, ${texts((by) => `-sumIf(${by}, ${by} < 0)`)} AS over_by
FROM (${differences(place, tables)})`;
}

export interface Staged extends Place {
  readonly staging: string;
}

/** With INSERT … SELECT: one block after the other, into whatever partition; nothing is dropped as a repeat. */
const INSERTED =
  "SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0";

/**
 * Fills the staging table with what the roll-up lacks of the day: for each bucket that is short one row that adds the difference.
 * With `isForced` also for each that is over: its counts are subtracted, as numbers of 64 bits that wrap around when they are summed.
 */
export function fillingCounts(place: Staged, isForced: boolean): string {
  const { database, rollUp, staging } = place;
  const { table, owner, counts, hasLongest } = rollUp;
  const key = owner.join(", ");
  const columns = counts.map(([column]) => column);
  // request_bytes is signed; the others are not.
  const added = columns.map((column) =>
    column === "request_bytes"
      ? `by_${column}`
      : `reinterpretAsUInt64(by_${column})`,
  );
  return `INSERT INTO ${database}.${staging} (${[key, "bucket", ...columns, ...(hasLongest ? ["max_duration_ms"] : [])].join(", ")})
SELECT ${[key, "bucket", ...added, ...(hasLongest ? ["raw_longest"] : [])].join(", ")}
FROM (${differences(place, [table])})
WHERE ${isForced ? `(${isShort(rollUp)}) OR ${isOver(rollUp)}` : isShort(rollUp)}
${INSERTED}`;
}

/**
 * Fills it further with the durations of what its rows add. A digest cannot be subtracted from another one, and nothing tells which attempts
 * were not counted. But how they are distributed is known: as all attempts of the bucket, less those that were counted. So of each bucket as
 * many attempts are picked as are missing, in such a way that together with the counted ones they are distributed as all are:
 *
 * Of a bucket's n attempts, `lack` were not counted. `share` is the part of the counted ones that took as long as the k-th, or less. So
 * of the first k, (n - lack) · share were counted, and `wanted` is the rest. It is imprecise as the digest is, and falls where many took
 * equally long; `picked`, how many are picked of the first k, only rises, and ends at `lack`. If nothing was counted, all are picked.
 */
export function fillingDurations(place: Staged): string {
  const { database, rollUp, day, staging } = place;
  const { table, owner, bucket } = rollUp;
  const key = `${owner.join(", ")}, bucket`;
  const upToHere = `(PARTITION BY ${key} ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
  return `INSERT INTO ${database}.${staging} (${key}, duration_ms)
SELECT ${key}, quantilesTDigestState(0.5, 0.95, 0.99)(ms)
FROM (
  SELECT ${key}, ms, picked, lagInFrame(picked, 1, toInt64(0)) OVER ${upToHere} AS picked_before
  FROM (
    SELECT ${key}, ms, k, greatest(toInt64(0), least(lack, greatest(max(wanted) OVER ${upToHere}, lack - (n - k)))) AS picked
    FROM (
      SELECT ${key}, ms, k, n, lack, toInt64(floor(k - (n - lack) * share)) AS wanted
      FROM (
        SELECT ${key}, ms, lack, share,
          toInt64(row_number() OVER (PARTITION BY ${key} ORDER BY ms)) AS k,
          toInt64(count() OVER (PARTITION BY ${key})) AS n
        FROM (
          SELECT ${key}, ms, lack, arrayCount(each -> each <= ms, quantiles) / ${QUANTILES.length} AS share
          FROM (
            SELECT ${key}, ms, lack
            FROM (
              SELECT ${owner.join(", ")}, ${bucket} AS bucket, a.duration_ms AS ms
              FROM ${database}.attempts AS a FINAL
              WHERE a.attempt_number > 0 AND ${within("a.started_at", day)}
            ) AS made
            INNER JOIN (
              SELECT ${key}, reinterpretAsInt64(sum(attempts)) AS lack FROM ${database}.${staging} GROUP BY ${key} HAVING lack > 0
            ) AS short USING (${key})
          ) AS of_short
          LEFT JOIN (
            SELECT ${key}, quantilesTDigestMerge(${QUANTILES.join(", ")})(duration_ms) AS quantiles
            FROM ${database}.${table}
            WHERE ${within("bucket", day)} AND (${key}) IN (SELECT ${key} FROM ${database}.${staging})
            GROUP BY ${key}
          ) AS counted USING (${key})
        )
      )
    )
  )
)
WHERE picked > picked_before
GROUP BY ${key}
${INSERTED}`;
}

/** Evenly spaced, and finer than a digest is. */
const QUANTILES = Array.from({ length: 200 }, (_, n) => (n + 0.5) / 200);

/** One row: how many buckets of the staging table add attempts, and no durations of them. */
export function withoutDurations({
  database,
  rollUp: { owner },
  staging,
}: Staged): string {
  const key = `${owner.join(", ")}, bucket`;
  return `SELECT toUInt32(count()) AS buckets
FROM (
  SELECT reinterpretAsInt64(sum(attempts)) AS lack, quantilesTDigestMerge(0.5, 0.95, 0.99)(duration_ms) AS ms
  FROM ${database}.${staging} GROUP BY ${key}
)
WHERE lack > 0 AND isNaN(ms[1])`;
}

/** Tells whether rows of the day came or went: how many there are, and which. */
export function markOf(database: string, day: Day): string {
  return `SELECT concat(toString(count()), '-', toString(groupBitXor(cityHash64(log_partition, log_offset)))) AS mark
FROM ${database}.attempts AS a WHERE ${within("a.started_at", day)}`;
}

/** A condition that a column of times prunes by. */
function within(column: string, day: Day): string {
  const next = dayOf(endOf(day));
  return `${column} >= toDateTime('${day} 00:00:00', 'UTC') AND ${column} < toDateTime('${next} 00:00:00', 'UTC')`;
}
