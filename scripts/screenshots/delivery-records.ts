/** How a made-up delivery goes until now, as the records that route and deliver would have written of it. */
import type { EpochMs } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import type { Random } from "@postrider/testkit";
import {
  deliveredBy,
  failedWith,
  failureAt,
  waitAfter,
} from "./made-up-attempt.ts";
import type { MadeUpEndpoint } from "./made-up-endpoints.ts";
import type { Published } from "./made-up-records.ts";
import { ToldDelivery } from "./told-delivery.ts";

export interface Traffic extends Published {
  readonly of: MadeUpEndpoint;
  /** The share of its turns at an open breaker that are probes. */
  readonly probes: number;
}

const HOUR = 3_600_000;

export function deliveryRecords(
  traffic: Traffic,
  now: EpochMs,
  random: Random,
): readonly OutRecord[] {
  const { of, event, probes } = traffic;
  const { pausedSinceAgo = -Infinity, openSinceAgo = -Infinity } = of;
  const told = new ToldDelivery(traffic);
  if (told.at >= now - pausedSinceAgo) {
    told.given("paused", "the endpoint is paused");
    return told.records;
  }
  if (random.next() < (of.laterShare ?? 0))
    told.putOff("not_before", [2 * HOUR, "1h"]);
  for (let n = 1; n <= of.maxAttempts && told.at < now; n += 1) {
    if (told.at >= now - openSinceAgo) {
      told.putOff("breaker_open", [64_000, "64s"]);
      if (random.next() > probes || told.at >= now) break;
    }
    const ago = now - told.at;
    const failure = failureAt(of, { ago, eventType: event.type }, random);
    if (failure === null) {
      told.delivered(deliveredBy(of, random));
      break;
    }
    const fields = failedWith(failure, random);
    if (n === of.maxAttempts) told.exhausted(fields);
    else told.failed(fields, waitAfter(n, random));
  }
  return told.records;
}
