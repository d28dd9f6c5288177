import {
  asked,
  ATTEMPTS,
  DELIVERIES,
  ENDPOINT,
  NO_REPLAY,
  OF_ENDPOINT,
  type Parameter,
  type SavedQuery,
} from "./saved-query.ts";

function target(share: string, of: string): Parameter {
  return {
    type: "Float64",
    default: share,
    description: `share of ${of} that must be good`,
    range: [0, 0.999999],
  };
}

/** Two objectives: deliveries that arrive in time, and first attempts that succeed. */
const IN_TIME: Readonly<Record<string, Parameter>> = {
  target: target("0.995", "deliveries"),
  within_ms: {
    type: "UInt32",
    default: "60000",
    description: "good: delivered so many ms after its event was received",
    range: [1, 4_294_967_295],
  },
};
const AT_FIRST: Readonly<Record<string, Parameter>> = {
  target: target("0.95", "first attempts"),
};

const MIN_BAD: Parameter = {
  type: "UInt32",
  default: "5",
  description: "nothing is alerted on while fewer were bad",
  range: [1, 4_294_967_295],
};

const IS_IN_TIME =
  "status = 'delivered' AND changed_at <= addMilliseconds(received_at, {within_ms:UInt32})";
const IS_GOOD_ATTEMPT = "outcome = 'delivered'";

/** What came of an objective. */
function judged(isGood: string): string {
  return `count() AS judged,
  countIf(${isGood}) AS good,
  judged - good AS bad, round(100 * good / judged, 2) AS good_pct,
  round(bad / (judged * (1 - {target:Float64})), 2) AS budget_spent`;
}

/** What is younger than `within_ms` is not judged yet. */
const OLD_ENOUGH =
  "received_at < subtractMilliseconds(now64(3), {within_ms:UInt32})";

/** What a replay sent is late by nature; the delivery that it repeats is judged, once. */
const JUDGED_DELIVERIES = `${DELIVERIES}
  AND ${NO_REPLAY}
  AND ${OLD_ENOUGH}`;

/** Without what its owner stopped. */
const MEANT_TO_ARRIVE = `${JUDGED_DELIVERIES}
  AND dead_letter_reason NOT IN ('paused', 'gone', 'endpoint_disabled', 'endpoint_deleted')
  AND ${OF_ENDPOINT}`;

const FIRST_ATTEMPTS = `${ATTEMPTS}
  AND ${NO_REPLAY}
  AND ${OF_ENDPOINT}
  AND attempt_number = 1`;

/** Each endpoint, and each tenant as a whole, whose row has no `endpoint_id`. */
const BY_ENDPOINT_AND_TENANT =
  "GROUP BY GROUPING SETS ((tenant_id, endpoint_id), (tenant_id))";

/** The windows of the rates, and when two of them are too much together: the longer tells that it matters, the shorter that it goes on. */
const WINDOWS_MS = {
  "5m": 300_000,
  "30m": 1_800_000,
  "1h": 3_600_000,
  "2h": 7_200_000,
  "6h": 21_600_000,
  "1d": 86_400_000,
  "3d": 259_200_000,
} as const;
type Window = keyof typeof WINDOWS_MS;

/** How many were bad for each that may be, in the window before `until`. */
function rate(window: Window): string {
  const isIn = `age_ms <= ${WINDOWS_MS[window]}`;
  return `round(countIf(is_bad AND ${isIn}) / (greatest(countIf(${isIn}), 1) * (1 - {target:Float64})), 2) AS burn_${window}`;
}

function isTooMuch(rates: number, longer: Window, shorter: Window): string {
  return `burn_${longer} > ${rates} AND burn_${shorter} > ${rates} AND countIf(is_bad AND age_ms <= ${WINDOWS_MS[longer]}) >= {min_bad:UInt32}`;
}

/** `age_ms` is counted back from the end of what is judged. */
function burning(isGood: string, time: string, end: string): string {
  return `SELECT multiIf(
${isTooMuch(14.4, "1h", "5m")}, 'page',
${isTooMuch(6, "6h", "30m")}, 'page',
${isTooMuch(3, "1d", "2h")}, 'ticket',
${isTooMuch(1, "3d", "6h")}, 'ticket', ''
) AS alert, tenant_id, endpoint_id,
  ${(Object.keys(WINDOWS_MS) as Window[]).map(rate).join(",\n  ")}
FROM (
SELECT tenant_id, endpoint_id, NOT (${isGood}) AS is_bad,
  dateDiff('millisecond', ${time}, ${end}) AS age_ms`;
}

const BURNING_END = `)
${BY_ENDPOINT_AND_TENANT}
ORDER BY indexOf(['page', 'ticket', ''], alert), burn_1h DESC, burn_3d DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`;

/** What is promised, how much of it may fail, and how fast that is used up: docs/sql/slo.md. */
export const SERVICE_LEVELS: readonly SavedQuery[] = [
  {
    name: "error-budget",
    title: "How much of the error budget is spent?",
    description:
      "Deliveries that were delivered in time against an objective, by tenant: `budget_spent` 1 is the whole budget of the window. All others are bad, also what is parked or was to wait (`notBefore`); what a replay sent is left out. A delivery that was made twice, after a crash, may count with its second request.",
    parameters: { ...asked("7d"), ...IN_TIME },
    sql: `SELECT tenant_id, ${judged(IS_IN_TIME)}
${JUDGED_DELIVERIES}
GROUP BY tenant_id
ORDER BY budget_spent DESC, tenant_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "error-budget-by-hour",
    title: "When was the error budget spent?",
    description:
      "The same by hour, newest first, so `budget_spent` is the burn rate: an hour at 14.4 spends a fiftieth of a month's budget.",
    parameters: { ...asked("1d", { limit: 168 }), ...IN_TIME },
    sql: `SELECT toStartOfHour(received_at) AS hour, ${judged(IS_IN_TIME)}
${JUDGED_DELIVERIES}
GROUP BY hour
ORDER BY hour DESC
LIMIT {limit:UInt32}`,
  },
  {
    name: "endpoint-budget",
    title: "Which endpoints spend the error budget?",
    description:
      "Deliveries that were delivered in time, by endpoint; a row without `endpoint_id` is its tenant as a whole. Left out is what its owner stopped: paused, disabled, deleted, or answered 410; and what a replay sent. What still waits is bad once it is older than `within_ms`.",
    parameters: { ...asked("7d"), endpoint: ENDPOINT, ...IN_TIME },
    sql: `SELECT tenant_id, endpoint_id, ${judged(IS_IN_TIME)}
${MEANT_TO_ARRIVE}
${BY_ENDPOINT_AND_TENANT}
ORDER BY budget_spent DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "first-attempt-budget",
    title: "Which endpoints fail at the first attempt more than they may?",
    description:
      "First attempts that succeeded against an objective, by endpoint; a row without `endpoint_id` is its tenant as a whole. It shows what retries hide. What a replay sent is left out. An attempt that was made twice, after a crash, counts twice.",
    parameters: { ...asked("7d"), endpoint: ENDPOINT, ...AT_FIRST },
    sql: `SELECT tenant_id, endpoint_id, ${judged(IS_GOOD_ATTEMPT)}
${FIRST_ATTEMPTS}
${BY_ENDPOINT_AND_TENANT}
ORDER BY budget_spent DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "burn-rates",
    title: "Is the error budget spent too fast?",
    description:
      "The burn rate of deliveries in time over seven windows that end at `until`, by endpoint and by tenant: 1 spends exactly the budget. `alert` says what the pairs of windows make of it. Left out is the same as in `endpoint-budget`. A `since` of less than three days cuts the longer windows.",
    parameters: {
      ...asked("3d"),
      endpoint: ENDPOINT,
      ...IN_TIME,
      min_bad: MIN_BAD,
    },
    sql: `${burning(IS_IN_TIME, "received_at", "least({until:DateTime64(3)}, subtractMilliseconds(now64(3), {within_ms:UInt32}))")}
${MEANT_TO_ARRIVE}
${BURNING_END}`,
  },
  {
    name: "first-attempt-burn-rates",
    title: "Do first attempts fail too fast?",
    description:
      "The burn rate of first attempts that succeed, over the same windows, by endpoint and by tenant: the earliest sign that a receiver breaks down. What a replay sent is left out.",
    parameters: {
      ...asked("3d"),
      endpoint: ENDPOINT,
      ...AT_FIRST,
      min_bad: MIN_BAD,
    },
    sql: `${burning(IS_GOOD_ATTEMPT, "started_at", "least({until:DateTime64(3)}, now64(3))")}
${FIRST_ATTEMPTS}
${BURNING_END}`,
  },
];
