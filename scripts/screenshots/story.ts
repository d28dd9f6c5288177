/** Half a day of made-up traffic: what the pictures show. The same numbers come of the same seed, whenever it is told; only its times move with `now`. */
import type { Endpoint, EpochMs, Signal } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import {
  aSignal,
  anEndpoint,
  seededRandom,
  type Random,
} from "@postrider/testkit";
import { deliveryRecords, type Traffic } from "./delivery-records.ts";
import {
  DOWN,
  ENDPOINTS,
  OUTAGE_AGO,
  type MadeUpEndpoint,
} from "./made-up-endpoints.ts";

const SEED = 16;
const HOUR = 3_600_000;
/** The overview compares with the time of the same length before. */
const TOLD_MS = 13 * HOUR;

/** The event of the pictured delivery, which was given up. */
export const PICTURED = {
  id: "evt_order_10482",
  tenantId: DOWN.tenantId,
} as const;

export function storyOf(now: EpochMs): readonly OutRecord[] {
  return ENDPOINTS.flatMap((of, number) => {
    const random = seededRandom(SEED, of.url);
    const endpoint = anEndpoint({
      id: `ep_${letters(24, random)}`,
      tenantId: of.tenantId,
      url: of.url,
      eventTypes: [...new Set(of.types)],
      maxAttempts: of.maxAttempts,
      timeoutMs: 5_000,
      ...(of.pausedSinceAgo !== undefined && {
        state: "paused",
        stateReason: "their warehouse moves",
      }),
    });
    const published = [
      ...trafficOf({ of, endpoint, now, random }),
      ...(of === DOWN ? [picturedOf(endpoint, now)] : []),
    ];
    return [
      { topic: "endpoints", key: endpoint.id, value: endpoint },
      ...published.flatMap((each, n) =>
        deliveryRecords({ ...each, offset: 100_000 * number + n }, now, random),
      ),
      ...(of.openSinceAgo === undefined
        ? []
        : [openedBreaker(endpoint, now - of.openSinceAgo)]),
    ] as const;
  });
}

/** More by day than by night, and never quite even. */
function* trafficOf({
  of,
  endpoint,
  now,
  random,
}: {
  readonly of: MadeUpEndpoint;
  readonly endpoint: Endpoint;
  readonly now: EpochMs;
  readonly random: Random;
}): Generator<Omit<Traffic, "offset">> {
  let at = now - TOLD_MS;
  for (;;) {
    const wave = 1 + 0.35 * Math.sin((now - at) / (2.1 * HOUR));
    at += (-Math.log(1 - random.next()) * HOUR) / (of.perHour * wave);
    if (at >= now) return;
    const type = random.pick(of.types);
    yield {
      of,
      endpoint,
      event: {
        id: `evt_${letters(16, random)}`,
        type,
        payload: payloadOf(type, random),
      },
      receivedAt: Math.floor(at),
      probes: 0.12,
    };
  }
}

/** It comes when the endpoint has just gone down, and spends its last attempts as probes. */
function picturedOf(endpoint: Endpoint, now: EpochMs): Omit<Traffic, "offset"> {
  return {
    of: DOWN,
    endpoint,
    event: {
      id: PICTURED.id,
      type: "order.paid",
      payload: payloadOf("order.paid", seededRandom(SEED, "pictured")),
    },
    receivedAt: now - OUTAGE_AGO + 900,
    probes: 1,
  };
}

function openedBreaker({ id, tenantId }: Endpoint, at: EpochMs): OutRecord {
  const value: Signal = aSignal({
    kind: "breaker_opened",
    endpointId: id,
    tenantId,
    at,
    detail: "10 failures in a row, the last with http_error 503; open for 8 s",
  });
  return { topic: "signals", key: id, value };
}

function payloadOf(type: string, random: Random): Buffer {
  const [of = ""] = type.split(".");
  const amount = (random.between(500, 90_000) / 100).toFixed(2);
  return Buffer.from(
    JSON.stringify({
      [`${of}Id`]: random.between(10_000, 99_999),
      ...(of === "order" || of === "invoice"
        ? { total: amount, currency: "EUR", items: random.between(1, 6) }
        : {}),
      customer: `cus_${letters(10, random)}`,
    }),
  );
}

const LETTERS =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function letters(count: number, random: Random): string {
  return Array.from({ length: count }, () =>
    LETTERS.charAt(random.between(0, LETTERS.length - 1)),
  ).join("");
}
