import type { Attempt, DeadLetter } from "@postrider/core";
import type { Answer } from "./answers.ts";
import type { Standing } from "./data-set.ts";
import {
  count,
  grouped,
  kinds,
  least,
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
  type Cell,
} from "./figures.ts";
import { HOUR } from "./receivers.ts";

const endpointOf = (each: {
  readonly tenantId: string | null;
  readonly endpointId: string | null;
}): Cell[] => [each.tenantId, each.endpointId];
const received = (each: Standing): number => each.receivedAt;
const took = (each: Standing): number => each.changedAt - each.receivedAt;
const isWaiting = (each: Standing): boolean =>
  each.status === "pending" || each.status === "failed";
const isParked = (each: Standing): boolean => each.waitsFor === "paused";
const isExpired = (each: Standing): boolean => each.status === "expired";
const waitMs = (each: Attempt): number => each.nextAttemptAt! - each.startedAt;

export const DELIVERY_ANSWERS: Readonly<Record<string, Answer>> = {
  "waiting-now": ({ deliveries }) =>
    ordered(
      grouped(
        deliveries.filter(isWaiting),
        (each) => [...endpointOf(each), each.waitsFor],
        (group) => {
          const due = group
            .filter((each) => !isParked(each))
            .flatMap((each) => each.dueAt ?? []);
          return [
            group.length,
            time(least(group, received)),
            due.length === 0 ? null : time(Math.min(...due)),
            due.length === 0 ? null : time(Math.max(...due)),
          ];
        },
      ),
      -3,
      0,
      1,
      2,
    ),

  "waiting-by-tier": ({ deliveries }) =>
    ordered(
      grouped(
        deliveries.filter(isWaiting),
        (each) => [each.waitsFor, each.tier],
        (group) => [group.length, time(least(group, received))],
      ),
      -2,
      0,
      1,
    ),

  "oldest-waiting": ({ deliveries }) =>
    deliveries
      .filter(isWaiting)
      .toSorted((a, b) => a.receivedAt - b.receivedAt)
      .map((each) => [
        time(each.receivedAt),
        ...endpointOf(each),
        each.eventId,
        each.eventType,
        each.status,
        each.attempts,
        each.outcome,
        each.statusCode,
        each.deadLetterReason,
      ]),

  "due-next": ({ deliveries }) =>
    ordered(
      grouped(
        deliveries
          .filter(isWaiting)
          .filter((each) => !isParked(each) && each.dueAt !== null),
        (each) => [startOf(each.dueAt!, HOUR / 6)],
        (group) => [
          group.length,
          kinds(group, (each) => each.endpointId),
          most(group, (each) => each.attempts),
        ],
      ),
      0,
    ),

  parked: ({ deliveries }) =>
    ordered(
      grouped(
        deliveries.filter(isWaiting).filter(isParked),
        endpointOf,
        (group) => [
          group.length,
          time(least(group, received)),
          time(most(group, received)),
        ],
      ),
      -2,
      0,
      1,
    ),

  deferrals: ({ deferrals }) =>
    ordered(
      grouped(
        deferrals,
        (each) => [each.deferralReason],
        (group) => [
          group.length,
          kinds(group, (each) => each.deliveryId),
          kinds(group, (each) => each.endpointId),
          round(mean(group, waitMs) / 1000, 1),
          round(most(group, waitMs) / 1000, 1),
        ],
      ),
      -1,
      0,
    ),

  "breaker-time": ({ attempts, deferrals, scope }) => {
    const kept = deferrals.filter(
      (each) => each.deferralReason === "breaker_open",
    );
    const openings = grouped(
      kept.map((each) => ({
        each,
        closedAt:
          attempts
            .filter((other) => other.endpointId === each.endpointId)
            .filter((other) => other.outcome === "delivered")
            .filter((other) => other.startedAt >= each.startedAt)
            .map((other) => other.startedAt + other.durationMs)
            .toSorted((a, b) => a - b)[0] ?? null,
      })),
      ({ each, closedAt }) => [...endpointOf(each), closedAt],
      (group) => [
        least(group, ({ each }) => each.startedAt),
        kinds(group, ({ each }) => each.deliveryId),
      ],
    );
    return ordered(
      grouped(
        openings,
        ([tenantId, endpointId]) => [tenantId!, endpointId!],
        (group) => [
          group.length,
          count(group, ([, , closedAt]) => closedAt === null),
          round(
            sum(
              group,
              ([, , closedAt, openedAt]) =>
                Number(closedAt ?? scope.until) - Number(openedAt),
            ) / 1000,
            1,
          ),
          sum(group, ([, , , , deliveries]) => Number(deliveries)),
          time(most(group, ([, , , openedAt]) => Number(openedAt))),
        ],
      ),
      -4,
      0,
      1,
    );
  },

  "time-to-success": ({ deliveries }) =>
    ordered(
      grouped(
        deliveries.filter((each) => each.status === "delivered"),
        (each) => [each.tenantId],
        (group) => [
          group.length,
          ...[0.5, 0.95, 0.99].map((level) => quantile(group, took, level)),
          most(group, took),
          round(
            mean(group, (each) => each.attempts),
            2,
          ),
        ],
      ),
      -3,
      0,
    ),

  "delivery-states": ({ deliveries }) =>
    ordered(
      grouped(
        deliveries,
        (each) => [each.status, each.deadLetterReason],
        (group) => [
          group.length,
          time(least(group, received)),
          time(most(group, received)),
        ],
      ),
      -2,
      0,
      1,
    ),

  "given-up": ({ deliveries }) =>
    ordered(
      grouped(deliveries, endpointOf, (group) => [
        group.length,
        count(group, isExpired),
        pct(count(group, isExpired), group.length),
        sum(group.filter(isExpired), (each) => each.attempts),
      ]).filter(([, , , expired]) => Number(expired) > 0),
      -3,
      0,
      1,
    ),

  "dead-letters": ({ deadLetters }) =>
    ordered(
      grouped(
        deadLetters,
        (each) => [
          each.reason,
          each.stage,
          each.lastOutcome ?? "",
          each.lastStatusCode,
        ],
        (group) => {
          const last = newest(group, (each) => each.deadAt);
          return [
            group.length,
            kinds(
              group.filter((each) => each.endpointId !== null),
              (each) => each.endpointId,
            ),
            time(last.deadAt),
            last.detail,
          ];
        },
      ),
      -4,
      0,
      1,
      2,
      3,
    ),

  // Nothing of the data set was sent again: all of them are open.
  "dead-letter-groups": ({ deadLetters, scope }) =>
    ordered(
      grouped(
        deadLetters.filter(
          ({ reason }) => scope.reason === "" || reason === scope.reason,
        ),
        (each) => [...endpointOf(each), each.reason, each.lastStatusCode],
        (group) => [
          group.length,
          group.length,
          time(least(group, (each) => each.deadAt)),
          time(most(group, (each) => each.deadAt)),
          time(least(group, (each) => each.receivedAt ?? Infinity)),
          time(most(group, (each) => each.receivedAt ?? -Infinity)),
          newest(group, (each) => each.deadAt).lastOutcome ?? "",
        ],
      ),
      -5,
      -4,
      0,
      1,
      2,
      3,
    ),

  "gone-endpoints": ({ deadLetters, attempts, scope }) => {
    const isGone = (each: DeadLetter): boolean => each.reason === "gone";
    const letters = deadLetters.filter(
      (each) => isGone(each) || each.reason === "endpoint_disabled",
    );
    return ordered(
      [...Map.groupBy(letters, (each) => each.endpointId)]
        .filter(([, group]) => group.some(isGone))
        .map(([id, group]) => {
          const spared = sum(group, (each) =>
            Math.max(scope.attempts - each.attempts, 0),
          );
          const answers = attempts.filter(
            (each) => each.endpointId === id && each.statusCode === 410,
          );
          return [
            ...endpointOf(group[0]!),
            time(least(group.filter(isGone), (each) => each.deadAt)),
            count(group, isGone),
            group.length,
            spared,
            round(
              (spared * mean(answers, (each) => each.durationMs)) / 1000,
              1,
            ),
          ];
        }),
      -5,
      0,
      1,
    );
  },
};
