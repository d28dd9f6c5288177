/** The SQL of the comparison and of the repair. Pure: texts only. */
import { dayOf, endOf, type Day, type RollUp } from "./roll-up.ts";

export interface Place {
  readonly database: string;
  readonly rollUp: RollUp;
  readonly day: Day;
}

/**
 * A row for each bucket of the day: by how much the rows of `attempts` are more (`by_…`, negative: fewer) than what `tables` have
 * counted. `raw` is the bucket's number of attempts, `raw_longest` and `counted_longest` the longest of them. `tables` is the roll-up
 * alone, or with a staging table that has what is to be added. Attempts are read FINAL: one that was recorded twice is one.
 */
function differences(
  { database, rollUp, day }: Place,
  tables: readonly string[],
  more: { readonly raw: string; readonly counted: string } | null = null,
): string {
  const { owner, bucket, counts, hasLongest } = rollUp;
  const key = owner.join(", ");
  const raw = `SELECT ${key}, ${bucket} AS bucket, ${counts.map(([column, sql]) => `toInt64(${sql}) AS x_${column}`).join(", ")},
      toInt64(count()) AS x_raw, toInt32(max(a.duration_ms)) AS x_raw_longest, toInt32(0) AS x_counted_longest${more === null ? "" : `, ${more.raw}`}
    FROM ${database}.attempts AS a FINAL
    WHERE a.attempt_number > 0 AND ${within("a.started_at", day)}
    GROUP BY ${key}, bucket`;
  const counted = tables.map(
    (
      table,
    ) => `SELECT ${key}, r.bucket AS bucket, ${counts.map(([column]) => `-reinterpretAsInt64(sum(r.${column})) AS x_${column}`).join(", ")},
      toInt64(0) AS x_raw, toInt32(0) AS x_raw_longest, toInt32(${hasLongest ? "max(r.max_duration_ms)" : "0"}) AS x_counted_longest${more === null ? "" : `, ${more.counted}`}
    FROM ${database}.${table} AS r
    WHERE ${within("r.bucket", day)}
    GROUP BY ${key}, bucket`,
  );
  return `SELECT ${key}, bucket, ${counts.map(([column]) => `sum(x_${column}) AS by_${column}`).join(", ")},
    sum(x_raw) AS raw, max(x_raw_longest) AS raw_longest, max(x_counted_longest) AS counted_longest${more === null ? "" : ", groupArrayArray(x_durations) AS durations"}
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
  return `SELECT toString(sum(raw)) AS raw, toString(sum(raw - by_attempts)) AS counted,
  toString(countIf(${short})) AS short_buckets, toString(countIf(${over})) AS over_buckets,
  ${texts((by) => `sumIf(${by}, ${short})`)} AS short_by, ${texts((by) => `-sumIf(${by}, ${by} < 0)`)} AS over_by
FROM (${differences(place, tables)})`;
}

/**
 * Fills the staging table with what the roll-up lacks of the day: for each bucket that is short one row that adds the difference.
 * With `isForced` also for each that is over: its counts are subtracted, as numbers of 64 bits that wrap around when they are summed.
 *
 * The digest of the durations cannot be subtracted from. Of a bucket that lacks N of its n attempts, the row has the durations of every
 * n/N-th attempt in their order. So the digest has the weight of n attempts again; if the bucket was not there at all, it is exact.
 */
export function filling(
  place: Place,
  {
    staging,
    isForced,
  }: { readonly staging: string; readonly isForced: boolean },
): string {
  const { database, rollUp } = place;
  const { table, owner, bucket, counts, hasLongest } = rollUp;
  const key = owner.join(", ");
  const differs = isForced
    ? `(${isShort(rollUp)}) OR ${isOver(rollUp)}`
    : isShort(rollUp);
  const columns = [
    ...counts.map(([column]) => column),
    ...(hasLongest ? ["max_duration_ms"] : []),
    "duration_ms",
  ];
  // request_bytes is signed; the others are not.
  const added = counts.map(([column]) =>
    column === "request_bytes"
      ? `by_${column}`
      : `reinterpretAsUInt64(by_${column})`,
  );
  const picked =
    "arrayFilter((ms, k) -> intDiv(k * by_attempts, raw) > intDiv((k - 1) * by_attempts, raw), arraySort(durations), arrayEnumerate(durations))";
  // Only the durations of buckets that differ are held in memory.
  const ofThese = `(${owner.map((column) => `a.${column}`).join(", ")}, ${bucket}) IN (SELECT ${key}, bucket FROM (${differences(place, [table])}) WHERE ${differs})`;
  return `INSERT INTO ${database}.${staging} (${key}, bucket, ${columns.join(", ")})
SELECT ${key}, bucket, ${added.join(", ")}, ${hasLongest ? "raw_longest, " : ""}arrayReduce('quantilesTDigestState(0.5, 0.95, 0.99)', ${picked})
FROM (${differences(place, [table], {
    raw: `groupArrayIf(a.duration_ms, ${ofThese}) AS x_durations`,
    counted: "CAST([], 'Array(Int32)') AS x_durations",
  })})
WHERE ${differs}
SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0`;
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
