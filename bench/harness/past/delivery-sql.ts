/** The deliveries of the past, and how each of them went, as a SELECT over its events. */
import {
  deliveryId,
  endpointId,
  eventsSql,
  hashOf,
  unit,
} from "./event-sql.ts";
import type { PastSize } from "./size.ts";

/** After a failed attempt the next one starts so long after the first. */
export const STARTS_MS = [
  0, 1_100, 3_400, 8_000, 60_000, 600_000, 7_200_000, 86_400_000,
] as const;
/** The tier in which it waits for that. */
export const TIERS = ["1s", "2s", "4s", "32s", "300s", "1h", "1h"] as const;
/** With the last of them a delivery is given up. */
export const MOST_ATTEMPTS = STARTS_MS.length;

/** The endpoint's kind. The busiest three of a tenant are well, so that no tenant's figures hang on one lot; the biggest has one of each kind that is rare. */
export function kindOf(t: string, x: string): string {
  const lot = `${hashOf("kind", `toUInt32(${t})`, `toUInt32(${x})`)} % 1000`;
  return `multiIf(${t} = 0 AND ${x} BETWEEN 20 AND 22, ['paused', 'gone', 'down'][${x} - 19], ${x} < 3 OR ${lot} < 880, 'well', ${lot} < 970, 'flaky', ${lot} < 990, 'down', ${lot} < 995, 'gone', 'paused')`;
}

/**
 * The deliveries of these events. Beside the event's columns: `j` its number within the event; `x` its endpoint's among the tenant's;
 * `kind` of the endpoint, by which it fails: well 2 % of the attempts, flaky 20 %, down 70 %; gone answers 410 or is disabled
 * already, and what is for a paused one is parked. `tries` attempts are made, of which the last is delivered unless `is_lost`. `is_put_off`
 * before the first of them, by a rate limit; `is_open` the breaker after the third. One in 2,000 is `is_twice` requested.
 */
export function deliveriesSql(
  size: PastSize,
  from: number,
  to: number,
): string {
  return `SELECT *, j,
  toUInt32((first + j) % endpoints) AS x,
  ${endpointId("t", "x")} AS endpoint_id,
  ${deliveryId("e", "j")} AS delivery_id,
  ${kindOf("t", "x")} AS kind,
  ${hashOf("delivery", "e", "j")} AS dice,
  multiIf(kind = 'flaky', 0.2, kind = 'down', 0.7, 0.02) AS odds,
  toUInt8(least(${MOST_ATTEMPTS}, floor(log(${unit("failures", "e", "j")}) / log(odds)))) AS failures,
  kind = 'gone' OR kind = 'paused' AS is_stopped,
  is_stopped OR failures = ${MOST_ATTEMPTS} AS is_lost,
  toUInt8(multiIf(kind = 'paused', 0, kind = 'gone', dice % 4 = 0, least(failures + 1, ${MOST_ATTEMPTS}))) AS tries,
  NOT is_stopped AND intDiv(dice, 4) % 50 = 0 AS is_put_off,
  kind = 'down' AND tries > 3 AS is_open,
  tries > 0 AND intDiv(dice, 200) % 2000 = 0 AS is_twice,
  received_ms + 20 + dice % 40 + if(is_put_off, 2000, 0) AS first_ms
FROM (
  ${eventsSql(size, from, to)}
)
ARRAY JOIN range(fan_out) AS j`;
}
