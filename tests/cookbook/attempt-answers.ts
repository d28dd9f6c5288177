import type { Attempt } from "@postrider/core";
import type { Answer } from "./answers.ts";
import {
  count,
  day,
  grouped,
  kinds,
  mean,
  most,
  newest,
  ordered,
  pct,
  quantile,
  round,
  startOf,
  sum,
  time,
} from "./figures.ts";

const MINUTE = 60_000;

const duration = (each: Attempt): number => each.durationMs;
const queue = (each: Attempt): number => each.queueMs;
const isDelivered = (each: Attempt): boolean => each.outcome === "delivered";
const isFailed = (each: Attempt): boolean => !isDelivered(each);
const endpointOf = (each: Attempt) => [each.tenantId, each.endpointId];
const successPct = (group: readonly Attempt[]): number =>
  pct(count(group, isDelivered), group.length);
const failedPct = (group: readonly Attempt[]): number =>
  pct(count(group, isFailed), group.length);

const SIZES = [1, 4, 16, 64, 256, 1024].map((kib) => kib * 1024);

export const ATTEMPT_ANSWERS: Readonly<Record<string, Answer>> = {
  "endpoint-health": ({ attempts }) =>
    ordered(
      grouped(attempts, endpointOf, (group) => [
        group.length,
        count(group, isDelivered),
        successPct(group),
        ...[0.5, 0.95, 0.99].map((level) => quantile(group, duration, level)),
      ]),
      -2,
      0,
      1,
    ),

  "worst-endpoints": ({ attempts, scope }) =>
    ordered(
      [...Map.groupBy(attempts, (each) => each.endpointId).values()]
        .filter((group) => group.length >= scope.min_attempts)
        .filter((group) => group.some(isFailed))
        .map((group) => {
          const last = newest(group.filter(isFailed), (each) => each.startedAt);
          return [
            last.tenantId,
            last.endpointId,
            group.length,
            count(group, isFailed),
            failedPct(group),
            time(last.startedAt),
            last.outcome,
            last.error,
          ];
        }),
      -4,
      -3,
      0,
      1,
    ),

  "newly-failing": ({ attempts, before, scope }) => {
    const rows = twice(attempts, before, scope.min_attempts)
      .map(({ key, now, earlier }) => ({
        row: [
          ...key,
          now.length,
          earlier.length,
          failedPct(now),
          failedPct(earlier),
        ],
        rise: failedPct(now) - failedPct(earlier),
      }))
      .filter(({ rise }) => rise > 0);
    return rows.toSorted((a, b) => b.rise - a.rise).map(({ row }) => row);
  },

  "slower-than-before": ({ attempts, before, scope }) =>
    ordered(
      twice(attempts, before, scope.min_attempts)
        .map(({ key, now, earlier }) => {
          const p95 = quantile(now, duration, 0.95);
          const old = quantile(earlier, duration, 0.95);
          return [
            ...key,
            now.length,
            earlier.length,
            p95,
            old,
            round(p95 / Math.max(old, 1), 2),
          ];
        })
        .filter(([, , , , p95, old]) => Number(p95) > Number(old)),
      -6,
      0,
      1,
    ),

  outcomes: ({ attempts }) =>
    ordered(
      grouped(
        attempts,
        (each) => [each.outcome, each.statusCode, each.errorCode ?? ""],
        (group) => [
          group.length,
          kinds(group, (each) => each.endpointId),
          time(most(group, (each) => each.startedAt)),
        ],
      ),
      -3,
      0,
      1,
      2,
    ),

  "endpoint-log": ({ attempts }) =>
    attempts
      .toSorted((a, b) => b.startedAt - a.startedAt)
      .map((each) => [
        time(each.startedAt),
        each.eventId,
        each.eventType,
        each.attemptNumber,
        each.outcome,
        each.statusCode,
        each.durationMs,
        each.error ?? "",
      ]),

  "who-is-late": ({ attempts }) =>
    ordered(
      grouped(attempts, endpointOf, (group) => [
        group.length,
        quantile(group, queue, 0.5),
        quantile(group, queue, 0.95),
        most(group, queue),
        round(mean(group, duration)),
      ]),
      -4,
      -5,
      0,
      1,
    ),

  "where-time-goes": ({ attempts }) =>
    ordered(
      grouped(attempts, endpointOf, (group) => [
        group.length,
        pct(
          count(group, (each) => each.isReused),
          group.length,
        ),
        round(
          mean(group, (each) => each.dnsMs),
          1,
        ),
        round(
          mean(group, (each) => each.connectMs),
          1,
        ),
        round(
          mean(group, (each) => each.tlsMs),
          1,
        ),
        round(
          mean(group, (each) => each.ttfbMs),
          1,
        ),
        round(mean(group, duration), 1),
      ]),
      -8,
      0,
      1,
    ),

  workers: ({ attempts }) =>
    ordered(
      grouped(
        attempts,
        (each) => [each.worker],
        (group) => [
          group.length,
          kinds(group, (each) => each.endpointId),
          successPct(group),
          quantile(group, duration, 0.95),
          quantile(group, queue, 0.95),
        ],
      ),
      3,
      0,
    ),

  "retries-by-depth": ({ attempts }) => {
    const all = Math.max(count(attempts, isDelivered), 1);
    return ordered(
      grouped(
        attempts,
        (each) => [each.attemptNumber],
        (group) => [
          group.length,
          count(group, isDelivered),
          successPct(group),
          pct(
            count(
              attempts,
              (each) =>
                isDelivered(each) &&
                each.attemptNumber <= group[0]!.attemptNumber,
            ),
            all,
          ),
        ],
      ),
      0,
    );
  },

  "first-attempts": ({ attempts }) =>
    ordered(
      grouped(
        attempts.filter((each) => each.attemptNumber === 1),
        (each) => [day(each.startedAt)],
        (group) => [group.length, count(group, isDelivered), successPct(group)],
      ),
      0,
    ),

  "repeated-requests": ({ attempts }) => {
    const steps = [
      ...Map.groupBy(
        attempts,
        (each) => `${each.deliveryId} ${each.step}`,
      ).values(),
    ].filter((group) => group.length > 1);
    return ordered(
      grouped(
        steps,
        ([each]) => endpointOf(each!),
        (group) => [
          group.length,
          sum(group, (requests) => requests.length - 1),
          time(most(group.flat(), (each) => each.startedAt)),
        ],
      ),
      -3,
      0,
      1,
    );
  },

  "noisy-tenants": ({ attempts }) =>
    ordered(
      grouped(
        attempts,
        (each) => [each.tenantId],
        (group) => [
          group.length,
          pct(group.length, attempts.length),
          round(sum(group, duration) / 1000, 1),
          pct(sum(group, duration), sum(attempts, duration)),
          count(group, isFailed),
          sum(group, (each) => each.requestBytes),
        ],
      ),
      -3,
      0,
    ),

  "cost-by-size": ({ attempts }) =>
    ordered(
      grouped(
        attempts,
        (each) => [SIZES.find((size) => each.requestBytes <= size)!],
        (group) => [
          group.length,
          sum(group, (each) => each.requestBytes),
          successPct(group),
          quantile(group, duration, 0.5),
          quantile(group, duration, 0.95),
        ],
      ),
      0,
    ),

  triggers: ({ attempts }) =>
    ordered(
      grouped(
        attempts,
        (each) => [each.trigger],
        (group) => [
          group.length,
          pct(group.length, attempts.length),
          successPct(group),
        ],
      ),
      -1,
      0,
    ),

  traffic: ({ attempts }) =>
    grouped(
      attempts,
      (each) => [startOf(each.startedAt, MINUTE)],
      (group) => [
        group.length,
        count(group, isDelivered),
        count(group, isFailed),
        count(group, (each) => each.status === "expired"),
      ],
    ).toSorted((a, b) => (a[0]! < b[0]! ? 1 : -1)),

  "success-by-day": ({ attempts }) =>
    grouped(
      attempts,
      (each) => [day(each.startedAt)],
      (group) => {
        const delivered = group.filter(isDelivered);
        return [
          group.length,
          delivered.length,
          successPct(group),
          pct(
            count(delivered, (each) => each.attemptNumber === 1),
            Math.max(delivered.length, 1),
          ),
          count(group, (each) => each.status === "expired"),
          sum(group, (each) => each.requestBytes),
          most(group, duration),
        ];
      },
    ).toSorted((a, b) => (a[0]! < b[0]! ? 1 : -1)),

  "latency-by-day": ({ attempts }) =>
    grouped(
      attempts,
      (each) => [day(each.startedAt)],
      (group) => [
        group.length,
        ...[0.5, 0.95, 0.99].map((level) => quantile(group, duration, level)),
      ],
    ).toSorted((a, b) => (a[0]! < b[0]! ? 1 : -1)),
};

/** The endpoints with enough attempts in both windows. */
function twice(
  attempts: readonly Attempt[],
  before: readonly Attempt[],
  enough: number,
) {
  return [...Map.groupBy(attempts, (each) => each.endpointId)]
    .map(([id, now]) => ({
      key: endpointOf(now[0]!),
      now,
      earlier: before.filter((each) => each.endpointId === id),
    }))
    .filter(
      ({ now, earlier }) => now.length >= enough && earlier.length >= enough,
    );
}
