import type { Answer, Scope, Seen } from "./answers.ts";
import {
  count,
  grouped,
  ordered,
  pct,
  round,
  startOf,
  type Cell,
} from "./figures.ts";
import { HOUR } from "./receivers.ts";

/** Something that is good or bad, and when it was. */
interface Judgement {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly at: number;
  readonly isGood: boolean;
}

const OWNER_STOPPED = [
  "paused",
  "gone",
  "endpoint_disabled",
  "endpoint_deleted",
];

function everyDelivery({ deliveries, scope }: Seen): Judgement[] {
  return deliveries.map((each) => ({
    tenantId: each.tenantId,
    endpointId: each.endpointId,
    at: each.receivedAt,
    isGood:
      each.status === "delivered" &&
      each.changedAt - each.receivedAt <= scope.within_ms,
  }));
}

function meantToArrive(seen: Seen): Judgement[] {
  const deliveries = seen.deliveries.filter(
    ({ deadLetterReason }) => !OWNER_STOPPED.includes(deadLetterReason),
  );
  return everyDelivery({ ...seen, deliveries });
}

function firstAttempts({ attempts }: Seen): Judgement[] {
  return attempts
    .filter(({ attemptNumber }) => attemptNumber === 1)
    .map((each) => ({
      tenantId: each.tenantId,
      endpointId: each.endpointId,
      at: each.startedAt,
      isGood: each.outcome === "delivered",
    }));
}

function judged(group: readonly Judgement[], { target }: Scope): Cell[] {
  const good = count(group, ({ isGood }) => isGood);
  const bad = group.length - good;
  return [
    group.length,
    good,
    bad,
    pct(good, group.length, 2),
    round(bad / (group.length * (1 - target)), 2),
  ];
}

/** The rows of the endpoints, and of the tenants as a whole. */
function byEndpointAndTenant(
  of: readonly Judgement[],
  rest: (group: readonly Judgement[]) => readonly Cell[],
): (readonly Cell[])[] {
  return [
    ...grouped(of, (each) => [each.tenantId, each.endpointId], rest),
    ...grouped(of, (each) => [each.tenantId, ""], rest),
  ];
}

const MINUTE = HOUR / 60;
const [W5M, W30M, W1H, W2H, W6H, W1D, W3D] = [
  5 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  24 * HOUR,
  72 * HOUR,
] as const;

function burned(group: readonly Judgement[], scope: Scope): Cell[] {
  const within = (ms: number): readonly Judgement[] =>
    group.filter(({ at }) => scope.until - at <= ms);
  const bad = (ms: number): number =>
    count(within(ms), ({ isGood }) => !isGood);
  const burn = (ms: number): number =>
    round(bad(ms) / (Math.max(within(ms).length, 1) * (1 - scope.target)), 2);
  const isOver = (rate: number, longer: number, shorter: number): boolean =>
    burn(longer) > rate && burn(shorter) > rate && bad(longer) >= scope.min_bad;
  const alert =
    isOver(14.4, W1H, W5M) || isOver(6, W6H, W30M)
      ? "page"
      : isOver(3, W1D, W2H) || isOver(1, W3D, W6H)
        ? "ticket"
        : "";
  return [alert, ...[W5M, W30M, W1H, W2H, W6H, W1D, W3D].map(burn)];
}

function burning(of: readonly Judgement[], scope: Scope): (readonly Cell[])[] {
  const severities = ["page", "ticket", ""];
  const rows = byEndpointAndTenant(of, (group) => burned(group, scope));
  const told = ordered(
    rows.map(([tenantId, endpointId, alert, ...rates]) => [
      severities.indexOf(String(alert)),
      tenantId!,
      endpointId!,
      ...rates,
    ]),
    0,
    -5,
    -9,
    1,
    2,
  );
  return told.map(([severity, ...rest]) => [
    severities[Number(severity)]!,
    ...rest,
  ]);
}

export const SERVICE_LEVEL_ANSWERS: Readonly<Record<string, Answer>> = {
  "error-budget": (seen) =>
    ordered(
      grouped(
        everyDelivery(seen),
        (each) => [each.tenantId],
        (group) => judged(group, seen.scope),
      ),
      -5,
      0,
    ),

  "error-budget-by-hour": (seen) =>
    grouped(
      everyDelivery(seen),
      (each) => [startOf(each.at, HOUR)],
      (group) => judged(group, seen.scope),
    ).toSorted((a, b) => (a[0]! < b[0]! ? 1 : -1)),

  "endpoint-budget": (seen) =>
    ordered(
      byEndpointAndTenant(meantToArrive(seen), (group) =>
        judged(group, seen.scope),
      ),
      -6,
      0,
      1,
    ),

  "first-attempt-budget": (seen) =>
    ordered(
      byEndpointAndTenant(firstAttempts(seen), (group) =>
        judged(group, seen.scope),
      ),
      -6,
      0,
      1,
    ),

  "burn-rates": (seen) => burning(meantToArrive(seen), seen.scope),

  "first-attempt-burn-rates": (seen) =>
    burning(firstAttempts(seen), seen.scope),
};
