/** The receivers of the data set, by the hour: what they answer, and what keeps deliveries from them. */
import type { DeadLetterReason, Intake } from "@postrider/core";
import type { Random } from "@postrider/testkit";

export const HOUR = 3_600_000;

export interface Shown {
  readonly outcome: string;
  readonly statusCode: number | null;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly durationMs: number;
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly ttfbMs: number;
}

export interface Wait {
  readonly reason: string;
  readonly ms: number;
}

export interface Receiver {
  readonly id: string;
  readonly tenantId: string;
  readonly types: readonly string[];
  /** Ms from the start. */
  readonly goneAt?: number;
  /** Why what comes at this hour is given up unattempted. */
  readonly givesUp: (hour: number) => DeadLetterReason | null;
  readonly deferral: (hour: number, random: Random) => Wait | null;
  readonly answer: (hour: number, random: Random) => Shown;
}

export function tenantOf({ tenantId }: Intake): string {
  return tenantId ?? "";
}

const never = (): null => null;

function shown(
  statusCode: number | null,
  durationMs: number,
  random: Random,
): Shown {
  const isGood = statusCode !== null && statusCode < 300;
  const refused = { outcome: "connection_refused", errorCode: "ECONNREFUSED" };
  const answered = {
    outcome: isGood ? "delivered" : "http_error",
    errorCode: null,
  };
  return {
    ...(statusCode === null ? refused : answered),
    statusCode,
    error: isGood ? null : `answered ${statusCode ?? "nothing"}`,
    durationMs,
    dnsMs: random.between(0, 4),
    connectMs: random.between(1, 9),
    ttfbMs: Math.floor(durationMs / 2),
  };
}

/** Answers 500 to a share of the requests. */
function failing(share: number, from: number, to: number): Receiver["answer"] {
  return (_hour, random) =>
    shown(random.next() < share ? 500 : 200, random.between(from, to), random);
}

/** Refuses connections in these hours; its breaker is open but for the first of them. */
const OUTAGES = [
  [20, 26],
  [43, 60],
] as const;

export const ENDPOINTS: readonly Receiver[] = [
  {
    id: "ep_orders",
    tenantId: "acme",
    types: ["order.paid", "invoice.sent"],
    givesUp: never,
    deferral: never,
    answer: failing(0.03, 20, 160),
  },
  {
    id: "ep_flaky",
    tenantId: "acme",
    types: ["order.paid"],
    givesUp: never,
    deferral: never,
    answer: (hour, random) =>
      failing(hour < 24 ? 0.2 : 0.6, 40, 400)(hour, random),
  },
  {
    id: "ep_limited",
    tenantId: "acme",
    types: ["user.deleted", "report.ready"],
    givesUp: never,
    deferral: (_hour, random) =>
      random.next() < 0.2
        ? { reason: "rate_limited", ms: random.between(2_000, 40_000) }
        : null,
    answer: failing(0.01, 15, 60),
  },
  {
    id: "ep_slow",
    tenantId: "globex",
    types: ["report.ready", "order.paid"],
    givesUp: never,
    deferral: never,
    answer: (hour, random) =>
      failing(
        0.05,
        hour < 24 ? 300 : 900,
        hour < 24 ? 900 : 4_000,
      )(hour, random),
  },
  {
    id: "ep_gone",
    tenantId: "globex",
    types: ["user.deleted"],
    goneAt: 30 * HOUR,
    givesUp: (hour) => (hour > 30.5 ? "endpoint_disabled" : null),
    deferral: never,
    answer: (hour, random) =>
      shown(hour >= 29.8 ? 410 : 503, random.between(10, 30), random),
  },
  {
    id: "ep_down",
    tenantId: "initech",
    types: ["order.paid", "report.ready"],
    givesUp: never,
    deferral: (hour, random) => {
      const outage = OUTAGES.find(
        ([from, to]) => hour >= from + 1 && hour < to,
      );
      return outage === undefined
        ? null
        : {
            reason: "breaker_open",
            ms:
              Math.ceil((outage[1] - hour) * HOUR) + random.between(0, 60_000),
          };
    },
    answer: (hour, random) =>
      OUTAGES.some(([from, to]) => hour >= from && hour < to)
        ? shown(null, random.between(1, 8), random)
        : failing(0.02, 30, 90)(hour, random),
  },
  {
    id: "ep_paused",
    tenantId: "initech",
    types: ["invoice.sent"],
    givesUp: (hour) => (hour >= 39 ? "paused" : null),
    deferral: never,
    answer: (hour, random) =>
      failing(hour < 38 ? 0.25 : 1, 25, 80)(hour, random),
  },
];
