/**
 * The events of the past as a SELECT: each column is a function of the event's number and the seed, so a number is the same event in
 * whatever block it is inserted, and another table's rows can be made of it again.
 */
import { ageMs, BIGGEST_SHARE, type PastSize } from "./size.ts";

const SEED = 26;

/** A hash of these SQL expressions, for one purpose. */
export function hashOf(purpose: string, ...of: readonly string[]): string {
  return `cityHash64(${[SEED, `'${purpose}'`, ...of].join(", ")})`;
}

/** The same in [0, 1). */
export function unit(purpose: string, ...of: readonly string[]): string {
  return `(bitShiftRight(${hashOf(purpose, ...of)}, 11) / ${2 ** 53}.)`;
}

/** An id as the product makes them: a prefix and letters of a hash. */
export function idOf(prefix: string, ...of: readonly string[]): string {
  return `concat('${prefix}', base64URLEncode(sipHash128(${[SEED, `'${prefix}'`, ...of].join(", ")})))`;
}

/** How many endpoints a tenant has: the biggest has its share, and the others ever fewer, as they have ever fewer events. */
export function endpointsOf({ tenants, endpoints }: PastSize, t: string) {
  const others = tenants - 1;
  const share = `(sqrt(${t} / ${others}) - sqrt((greatest(${t}, 1) - 1) / ${others}))`;
  return `toUInt32(greatest(1, round(${endpoints} * if(${t} = 0, ${BIGGEST_SHARE}, ${1 - BIGGEST_SHARE} * ${share}))))`;
}

export function tenantId(t: string): string {
  return `concat('tenant_', leftPad(toString(${t}), 3, '0'))`;
}

export function endpointId(t: string, x: string): string {
  return idOf("ep_", `toUInt32(${t})`, `toUInt32(${x})`);
}

export function deliveryId(e: string, j: string): string {
  return idOf("dlv_", `toUInt64(${e})`, `toUInt8(${j})`);
}

export function at(ms: string): string {
  return `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`;
}

const TYPES = [
  "order.paid",
  "order.created",
  "order.refunded",
  "invoice.sent",
  "user.created",
  "user.deleted",
  "stock.low",
  "parcel.delivered",
];

/**
 * The events with the numbers from `from` to below `to`. Columns: `e` its number; `t` its tenant's; `endpoints` how many that has;
 * `received_ms`; `decision`; `fan_out` its deliveries; `first` the first endpoint among the tenant's, the busy ones having low numbers.
 * One event in a hundred is a duplicate of the one seven before it.
 */
export function eventsSql(size: PastSize, from: number, to: number): string {
  const others = size.tenants - 1;
  return `SELECT number AS e, if(e % 100 = 99, e - 7, e) AS origin,
  toUInt32(if(${unit("biggest", "origin")} < ${BIGGEST_SHARE}, 0, 1 + floor(${others} * pow(${unit("tenant", "origin")}, 2)))) AS t,
  ${tenantId("t")} AS tenant_id,
  ${endpointsOf(size, "t")} AS endpoints,
  toInt64(${size.endsAt} - ${ageMs(size, "e")}) AS received_ms,
  ${hashOf("decision", "e")} % 1000 AS lot,
  multiIf(e % 100 = 99, 'duplicate', e % 100 = 92, 'routed', lot < 20, 'no_match', lot < 30, 'filtered', lot < 35, 'invalid', lot < 40, 'refused', 'routed') AS decision,
  ${hashOf("fan-out", "e")} % 100 AS fan_lot,
  if(decision = 'routed', least(endpoints, multiIf(fan_lot < 60, 1, fan_lot < 85, 2, fan_lot < 97, 3, 5)), 0) AS fan_out,
  toUInt32(floor(endpoints * pow(${unit("endpoint", "e")}, 3))) AS first,
  ${idOf("evt_", "toUInt64(origin)")} AS event_id,
  [${TYPES.map((type) => `'${type}'`).join(", ")}][1 + ${hashOf("type", "origin")} % ${TYPES.length}] AS event_type
FROM numbers(${from}, ${to - from})`;
}
