/** What `POST /v1/endpoints/match` asks ClickHouse: recorded events with their payloads, in the order of the table's key, page by page. */
import type { MatchAsked } from "./match-asked.ts";
import { isOfTypesSql, typeValues } from "../../http/types-sql.ts";

/** So many events at most in one page, */
const PAGE_EVENTS = 500;
/** and payloads of so many bytes, but always one event. */
const PAGE_BYTES = 4_000_000;

/** The last event of a page: the next one begins behind it. */
export interface MatchPlace {
  readonly eventId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface MatchRow {
  readonly id: string;
  readonly type: string;
  readonly occurred: number | null;
  readonly body: string;
  readonly kept: number;
  readonly bytes: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

const KEY = "event_id, source_topic, source_partition, source_offset";

/**
 * The row that has an event's payload, as of a backfill: not a duplicate of it, and not an event with a destination of its own, which
 * no endpoint's filter is asked about.
 */
function where({ eventId, eventTypes, until }: MatchAsked): string {
  const isOfEvery = eventId !== null || eventTypes.includes("*");
  return [
    "tenant_id = {tenantId:String}",
    "e.received_at >= fromUnixTimestamp64Milli({since:Int64})",
    ...(until === null
      ? []
      : ["e.received_at < fromUnixTimestamp64Milli({until:Int64})"]),
    "part = 0",
    "decision IN ('routed', 'no_match', 'filtered')",
    "NOT arrayExists(id -> startsWith(id, 'inline_'), endpoint_ids)",
    ...(eventId === null ? [] : ["event_id = {eventId:String}"]),
    ...(isOfEvery ? [] : [isOfTypesSql("event_type")]),
  ].join("\n  AND ");
}

function values(asked: MatchAsked): Record<string, unknown> {
  const { tenantId, eventId, eventTypes, since, until } = asked;
  return {
    tenantId,
    eventId: eventId ?? "",
    ...typeValues(eventTypes),
    since,
    until: until ?? 0,
  };
}

export interface AskedSql {
  readonly sql: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export function countSql(asked: MatchAsked): AskedSql {
  return {
    sql: `SELECT count() AS events FROM events AS e\nWHERE ${where(asked)}`,
    values: values(asked),
  };
}

/** The payload as base64: a text of JSON would not have every byte. */
export function pageSql(asked: MatchAsked, after: MatchPlace | null): AskedSql {
  const behind =
    after === null
      ? ""
      : `\n  AND event_id >= {afterId:String} AND (${KEY}) > ({afterId:String}, {afterTopic:String}, {afterPartition:Int32}, {afterOffset:Int64})`;
  return {
    sql: `
SELECT event_id AS id, event_type AS type, toUnixTimestamp64Milli(p.occurred_at) AS occurred,
  base64Encode(payload) AS body, length(payload) AS kept, payload_bytes AS bytes,
  source_topic AS topic, source_partition AS partition, source_offset AS offset
FROM (
  SELECT *, sum(length(payload)) OVER before AS total, row_number() OVER before AS nth
  FROM (
    SELECT ${KEY}, event_type, occurred_at, payload, payload_bytes
    FROM events AS e
    WHERE ${where(asked)}${behind}
    ORDER BY ${KEY}
    LIMIT ${PAGE_EVENTS}
  )
  WINDOW before AS (ORDER BY ${KEY} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) AS p
WHERE total <= ${PAGE_BYTES} OR nth = 1
ORDER BY ${KEY}`,
    values: {
      ...values(asked),
      ...(after && {
        afterId: after.eventId,
        afterTopic: after.topic,
        afterPartition: after.partition,
        afterOffset: after.offset,
      }),
    },
  };
}
