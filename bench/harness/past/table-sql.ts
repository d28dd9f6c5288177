/** The statements that insert a block of the past. Only what topics feed is inserted: `deliveries` and the roll-ups are filled by their own views. */
import { ATTEMPT_COLUMNS, attemptRowsSql } from "./attempt-sql.ts";
import {
  deliveriesSql,
  kindOf,
  MOST_ATTEMPTS,
  STARTS_MS,
} from "./delivery-sql.ts";
import {
  at,
  deliveryId,
  endpointId,
  endpointsOf,
  eventsSql,
  hashOf,
  tenantId,
  unit,
} from "./event-sql.ts";
import type { PastSize } from "./size.ts";

type Columns = Readonly<Record<string, string>>;

/** A block is its own, so nothing is looked up of earlier ones; a large one is a part for each day, as the recorder's are. */
const SETTINGS =
  "async_insert = 0, insert_deduplicate = 0, deduplicate_blocks_in_dependent_materialized_views = 0, max_insert_threads = 2, max_threads = 2, min_insert_block_size_rows = 500000, min_insert_block_size_bytes = 0";

function insert(table: string, columns: Columns, from: string): string {
  const names = Object.keys(columns).join(", ");
  // A column may have the name of one that it is made of, so names are left to the list above.
  const values = Object.values(columns).join(",\n  ");
  return `INSERT INTO ${table} (${names}) SETTINGS ${SETTINGS}\nSELECT ${values}\nFROM (\n${from}\n)`;
}

/** The rows of the events from `from` to below `to`, in all tables that topics feed per event. `of` is the database. */
export function blockSql(
  of: string,
  size: PastSize,
  [from, to]: readonly [from: number, to: number],
): readonly string[] {
  return [
    insert(`${of}.events`, EVENT_COLUMNS, eventsSql(size, from, to)),
    insert(`${of}.attempts`, ATTEMPT_COLUMNS, attemptRowsSql(size, from, to)),
    insert(
      `${of}.dead_letters`,
      DEAD_LETTER_COLUMNS,
      `SELECT *, toInt64(if(is_stopped, first_ms, first_ms + ${STARTS_MS.at(-1)} + 100)) AS dead_ms FROM (
${deliveriesSql(size, from, to)}
) WHERE is_lost AND dead_ms <= ${size.cutAt}`,
    ),
    insert(
      `${of}.dead_letters`,
      UNREADABLE_COLUMNS,
      `${eventsSql(size, from, to)} WHERE decision = 'invalid'`,
    ),
  ];
}

const PAYLOAD =
  'concat(\'{"id":"\', event_id, \'","customer":"\', hex(cityHash64(e)), \'","total":\', toString(cityHash64(e) % 100000), \',"text":"\', repeat(\'a sentence of the order, \', 4), hex(sipHash64(e)), \'"}\')';

const SOURCE: Columns = {
  source_topic: "'postrider.events'",
  source_partition: "e % 12",
  source_offset: "intDiv(e, 12)",
  log_partition: "e % 12",
  log_offset: "intDiv(e, 12)",
};

const EVENT_COLUMNS: Columns = {
  tenant_id: "tenant_id",
  event_id: "event_id",
  event_type: "event_type",
  occurred_at: at("received_ms - 300"),
  received_at: at("received_ms"),
  decided_at: at(`received_ms + 5 + ${hashOf("decided", "e")} % 60`),
  decision: "decision",
  reason:
    "multiIf(decision = 'invalid', 'type must be dotted', decision = 'refused', 'the URL is not https', '')",
  field:
    "multiIf(decision = 'invalid', 'type', decision = 'refused', 'destination.url', '')",
  rule: "multiIf(decision = 'invalid', 'form', decision = 'refused', 'https', '')",
  content_type: "'application/json'",
  payload: PAYLOAD,
  payload_bytes: `length(${PAYLOAD})`,
  delivery_ids: `arrayMap(j -> ${deliveryId("e", "j")}, range(fan_out))`,
  endpoint_ids: `arrayMap(j -> ${endpointId("t", "(first + j) % endpoints")}, range(fan_out))`,
  no_match_count: "endpoints - fan_out",
  part: "0",
  parts: "1",
  ...SOURCE,
};

const DEAD_LETTER_COLUMNS: Columns = {
  tenant_id: "tenant_id",
  endpoint_id: "endpoint_id",
  dead_at: at("dead_ms"),
  delivery_id: "delivery_id",
  event_id: "event_id",
  event_type: "event_type",
  received_at: at("received_ms"),
  reason:
    "multiIf(kind = 'paused', 'paused', kind != 'gone', 'exhausted', tries = 1, 'gone', 'endpoint_disabled')",
  detail: `if(is_stopped, concat('the endpoint is ', kind), 'no attempt of ${MOST_ATTEMPTS} succeeded')`,
  stage: "'deliver'",
  attempts: "tries",
  step: `if(is_stopped, 0, ${MOST_ATTEMPTS - 1} + is_put_off + is_open)`,
  last_outcome: "if(tries = 0, '', 'http_error')",
  last_status_code: "multiIf(tries = 0, NULL, kind = 'gone', 410, 503)",
  record_topic: "'postrider.deliveries'",
  record_partition: "x % 12",
  record_offset: "e",
  ...SOURCE,
  log_topic: "'postrider.dead-letters'",
};

const UNREADABLE_COLUMNS: Columns = {
  tenant_id: "tenant_id",
  dead_at: at("received_ms + 20"),
  event_id: "event_id",
  event_type: "event_type",
  received_at: at("received_ms"),
  reason: "'invalid'",
  detail: "'type must be dotted'",
  field: "'type'",
  rule: "'form'",
  stage: "'route'",
  record_topic: "'postrider.events'",
  record_partition: "e % 12",
  record_offset: "intDiv(e, 12)",
  ...SOURCE,
  log_topic: "'postrider.dead-letters'",
};

const CHANGES = 20_000;
const DAYS = 29;
const DAY_MS = 86_400_000;

/** What is not of an event: a breaker of each endpoint that is down opens and closes once a day, and people change endpoints. */
export function onceSql(of: string, size: PastSize): readonly string[] {
  const ago = (...by: readonly string[]): string =>
    `${size.endsAt} - ${unit("when", ...by)} * ${DAYS * DAY_MS}`;
  return [
    insert(
      `${of}.signals`,
      {
        tenant_id: tenantId("t"),
        endpoint_id: endpointId("t", "x"),
        at: at("if(is_opened, at_ms, at_ms + 300000)"),
        kind: "if(is_opened, 'breaker_opened', 'breaker_closed')",
        endpoint_version: "1",
        delivery_id: "''",
        detail: "'10 failures in a row'",
        log_partition: "x % 12",
        log_offset: "day",
      },
      `SELECT *, ${size.endsAt} - 600000 - day * ${DAY_MS} - ${hashOf("opened", "t", "x", "day")} % ${DAY_MS} AS at_ms FROM (
  SELECT t, x, arrayJoin(range(${DAYS - 1})) AS day, arrayJoin([true, false]) AS is_opened FROM (
    SELECT number AS t, arrayJoin(range(${endpointsOf(size, "t")})) AS x FROM numbers(${size.tenants})
  ) WHERE ${kindOf("t", "x")} = 'down'
)`,
    ),
    insert(
      `${of}.audit`,
      {
        tenant_id: tenantId("t"),
        at: at(ago("n")),
        actor: "'admin'",
        subject: "'endpoint'",
        subject_id: endpointId("t", `n % ${endpointsOf(size, "t")}`),
        action: "'changed'",
        why: "'asked for by its owner'",
        detail: `'{"timeoutMs":{"from":15000,"to":5000}}'`,
        request_id: "toString(n)",
        log_partition: "0",
        log_offset: "n",
      },
      `SELECT number AS n, n % ${size.tenants} AS t FROM numbers(${CHANGES})`,
    ),
  ];
}
