/** The endpoints of the pictures, what they get, and what was wrong with them. Their names are reserved for examples (RFC 2606), and nothing is sent to them. */
import type { Attempt, Endpoint } from "@postrider/core";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What a failed attempt shows, as the dispatcher would have recorded it. */
export interface Failure {
  readonly outcome: NonNullable<Attempt["outcome"]>;
  readonly statusCode: number | null;
  readonly errorCode: string | null;
  readonly error: string | null;
  /** About: an answer takes now more, now less. */
  readonly durationMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const json = (
  statusCode: number,
  durationMs: number,
  body: object,
): Failure => ({
  outcome: "http_error",
  statusCode,
  errorCode: null,
  error: null,
  durationMs,
  headers: {
    "content-type": "application/json",
    server: "envoy",
    "x-request-id": "b1946ac92492d234",
  },
  body: JSON.stringify(body),
});

const UNAVAILABLE = json(503, 184, {
  error: "service_unavailable",
  message: "no healthy upstream: orders-db is failing over",
});
const BAD_GATEWAY = json(502, 96, { error: "bad_gateway" });
const REFUSED = json(422, 61, {
  error: "unprocessable",
  message: "user is under legal hold and cannot be deleted",
});
const SILENT: Failure = {
  outcome: "timeout",
  statusCode: null,
  errorCode: "POSTRIDER_DEADLINE",
  error: "no complete answer within the deadline",
  durationMs: 5_000,
  headers: {},
  body: "",
};

/** From `fromAgo` to `untilAgo`, ms before now, this share of the attempts fails. */
export interface Trouble {
  readonly fromAgo: number;
  readonly untilAgo: number;
  readonly share: number;
  readonly shows: readonly [Failure, ...Failure[]];
  /** Only of this type. */
  readonly type?: string;
}

export interface MadeUpEndpoint extends Pick<Endpoint, "tenantId" | "url"> {
  readonly types: readonly [string, ...string[]];
  readonly perHour: number;
  readonly maxAttempts: number;
  /** What most of its answers take. */
  readonly answersInMs: number;
  readonly troubles: readonly Trouble[];
  /** Its breaker opened then, and is still open; ms before now. */
  readonly openSinceAgo?: number;
  /** People paused it then. */
  readonly pausedSinceAgo?: number;
  /** The share of its events that are for later. */
  readonly laterShare?: number;
}

const rarely = (share: number): Trouble => ({
  fromAgo: Infinity,
  untilAgo: 0,
  share,
  shows: [BAD_GATEWAY],
});

export const OUTAGE_AGO = 38 * MINUTE;

/** The one whose outage the pictures tell of. */
export const DOWN: MadeUpEndpoint = {
  tenantId: "globex",
  url: "https://api.globex.example/v1/webhooks",
  types: ["order.paid", "order.shipped", "order.refunded"],
  perHour: 240,
  maxAttempts: 6,
  answersInMs: 70,
  troubles: [
    rarely(0.004),
    {
      fromAgo: OUTAGE_AGO,
      untilAgo: 0,
      share: 1,
      shows: [UNAVAILABLE, UNAVAILABLE, SILENT],
    },
  ],
  openSinceAgo: OUTAGE_AGO - 20_000,
};

export const ENDPOINTS: readonly MadeUpEndpoint[] = [
  DOWN,
  {
    tenantId: "acme",
    url: "https://hooks.acme.example/orders",
    types: ["order.paid", "order.shipped", "order.refunded"],
    perHour: 420,
    maxAttempts: 20,
    answersInMs: 45,
    troubles: [rarely(0.006)],
  },
  {
    tenantId: "acme",
    url: "https://erp.acme.example/invoices",
    types: ["invoice.sent", "invoice.paid"],
    perHour: 150,
    maxAttempts: 20,
    answersInMs: 210,
    troubles: [rarely(0.004)],
    laterShare: 0.02,
  },
  {
    tenantId: "initech",
    url: "https://webhooks.initech.example/in",
    types: ["order.paid", "parcel.delivered"],
    perHour: 180,
    maxAttempts: 20,
    answersInMs: 120,
    troubles: [
      rarely(0.02),
      {
        fromAgo: 3.4 * HOUR,
        untilAgo: 2.9 * HOUR,
        share: 0.55,
        shows: [BAD_GATEWAY],
      },
    ],
  },
  {
    tenantId: "hooli",
    url: "https://hooli.example/hooks/users",
    types: ["user.created", "user.created", "user.created", "user.deleted"],
    perHour: 110,
    maxAttempts: 4,
    answersInMs: 60,
    troubles: [
      rarely(0.004),
      {
        fromAgo: 7.5 * HOUR,
        untilAgo: 0,
        share: 1,
        shows: [REFUSED],
        type: "user.deleted",
      },
    ],
  },
  {
    tenantId: "umbrella",
    url: "https://events.umbrella.example/v2",
    types: ["parcel.delivered", "parcel.sent"],
    perHour: 200,
    maxAttempts: 20,
    answersInMs: 85,
    troubles: [rarely(0.005)],
    pausedSinceAgo: 25 * MINUTE,
  },
];
