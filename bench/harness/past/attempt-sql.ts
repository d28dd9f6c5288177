/** The rows of the table `attempts` of the past: requests, and the deferrals between them. */
import {
  deliveriesSql,
  MOST_ATTEMPTS,
  STARTS_MS,
  TIERS,
} from "./delivery-sql.ts";
import { at, hashOf, idOf, unit } from "./event-sql.ts";
import type { PastSize } from "./size.ts";

/** What a row is beside an attempt, whose code is its number. */
const PUT_OFF = 100;
const BREAKER = 101;
const AGAIN = 102;

/** An open breaker puts the fourth attempt off from this time to its own. */
const OPENED_MS = 5_000;

/** The columns of the deliveries, and of each of their rows `a` the number of the attempt, 0 for a deferral. What would have begun after the past is not there yet. */
export function attemptRowsSql(
  size: PastSize,
  from: number,
  to: number,
): string {
  return `SELECT *, code,
  code = ${PUT_OFF} OR code = ${BREAKER} AS is_deferral,
  toUInt8(multiIf(is_deferral, 0, code = ${AGAIN}, 1, code)) AS a,
  [${STARTS_MS.join(", ")}] AS starts_ms,
  toInt64(multiIf(code = ${PUT_OFF}, first_ms - 2000, code = ${BREAKER}, first_ms + ${OPENED_MS}, first_ms + starts_ms[a])) + if(code = ${AGAIN}, 400, 0) AS started_ms,
  multiIf(code = ${PUT_OFF}, 0, code = ${BREAKER}, 3 + is_put_off, a - 1 + is_put_off + (is_open AND a > 3)) AS step,
  a > 0 AND a = tries AND NOT is_lost AS is_delivered,
  ${hashOf("outcome", "e", "j", "a")} % 10 AS lot_of_outcome,
  multiIf(is_deferral, '', is_delivered, 'delivered', kind = 'gone' OR lot_of_outcome < 6, 'http_error', lot_of_outcome < 8, 'timeout', lot_of_outcome < 9, 'connection_refused', 'connection_reset') AS outcome,
  multiIf(is_delivered, 200, outcome != 'http_error', NULL, kind = 'gone', 410, lot_of_outcome < 4, 503, 500) AS status_code,
  multiIf(code = ${PUT_OFF}, 'pending', is_deferral, 'failed', is_delivered, 'delivered', kind = 'gone' OR a = ${MOST_ATTEMPTS}, 'expired', 'failed') AS status,
  multiIf(outcome = 'connection_refused', 'ECONNREFUSED', outcome = 'connection_reset', 'ECONNRESET', '') AS error_code,
  toInt32(multiIf(is_deferral, 0, outcome = 'timeout', 15000, outcome = 'connection_refused', 1, (5 + ${hashOf("speed", "t", "x")} % 120) * exp(2 * ${unit("duration", "e", "j", "a")}))) AS duration_ms
FROM (
  ${deliveriesSql(size, from, to)}
)
ARRAY JOIN arrayConcat(range(1, tries + 1), if(is_put_off, [${PUT_OFF}], []), if(is_open, [${BREAKER}], []), if(is_twice, [${AGAIN}], [])) AS code
WHERE started_ms <= ${size.cutAt}`;
}

const IS_REUSED = `(NOT is_deferral AND ${hashOf("reused", "e", "j", "a")} % 5 > 0)`;

/** SQL for each column of the table, over `attemptRowsSql`. */
export const ATTEMPT_COLUMNS: Readonly<Record<string, string>> = {
  tenant_id: "tenant_id",
  endpoint_id: "endpoint_id",
  delivery_id: "delivery_id",
  webhook_id: idOf("msg_", "toUInt64(e)", "toUInt8(j)"),
  event_id: "event_id",
  event_type: "event_type",
  attempt_number: "a",
  step: "step",
  trigger: "if(a > 1 OR (is_deferral AND step > 0), 'retry', 'first')",
  replay_id: "''",
  received_at: at("received_ms"),
  started_at: at("started_ms"),
  queue_ms: "if(is_deferral, 0, dice % 40)",
  duration_ms: "duration_ms",
  dns_ms: `if(${IS_REUSED}, 0, 1)`,
  connect_ms: `if(${IS_REUSED}, 0, 3)`,
  tls_ms: `if(${IS_REUSED}, 0, 9)`,
  ttfb_ms: "intDiv(duration_ms * 9, 10)",
  is_reused: IS_REUSED,
  remote_address:
    "if(is_deferral OR outcome = 'connection_refused', '', '192.0.2.1')",
  outcome: "outcome",
  status_code: "status_code",
  error_code: "error_code",
  error:
    "multiIf(outcome = 'http_error', concat('the receiver answered ', toString(status_code)), outcome = 'timeout', 'no answer within 15 s', error_code != '', concat('connect ', error_code, ' 192.0.2.10:443'), '')",
  status: "status",
  disposition:
    "multiIf(is_deferral, 'defer', is_delivered, 'done', status = 'expired', 'dead_letter', 'retry')",
  next_attempt_at: `multiIf(code = ${PUT_OFF}, ${at("first_ms")}, code = ${BREAKER}, ${at("first_ms + starts_ms[4]")}, status != 'failed', NULL, is_open AND a = 3, ${at(`first_ms + ${OPENED_MS}`)}, ${at("first_ms + starts_ms[a + 1]")})`,
  tier: `multiIf(is_deferral, '2s', status = 'failed', [${TIERS.map((tier) => `'${tier}'`).join(", ")}][a], '')`,
  deferral_reason: `multiIf(code = ${PUT_OFF}, 'rate_limited', code = ${BREAKER}, 'breaker_open', '')`,
  dead_letter_reason:
    "multiIf(status != 'expired', '', kind = 'gone', 'gone', 'exhausted')",
  last_attempt_number: `if(code = ${BREAKER}, 3, 0)`,
  last_outcome: `if(code = ${BREAKER}, 'http_error', '')`,
  last_status_code: `if(code = ${BREAKER}, 503, NULL)`,
  last_error_code: "''",
  last_duration_ms: `if(code = ${BREAKER}, 40, 0)`,
  request_bytes: "if(is_deferral, 0, 190 + e % 20)",
  response_bytes:
    "multiIf(outcome = 'delivered', 2, outcome = 'http_error', 57, 0)",
  response_body:
    "multiIf(outcome = 'delivered', 'ok', outcome = 'http_error', '{\"error\":\"the service is overloaded, try again later\"}', '')",
  response_headers:
    "mapFromArrays(if(status_code IS NULL, [], ['content-type', 'server']), if(status_code IS NULL, [], ['application/json', 'nginx']))",
  worker: "concat('dispatcher-', toString(e % 4))",
  source_topic: "'postrider.events'",
  source_partition: "e % 12",
  source_offset: "intDiv(e, 12)",
  log_partition: "x % 12",
  log_offset: "e",
};
