/** What a made-up attempt shows. */
import type { Attempt } from "@postrider/core";
import { REGISTERED_SCHEDULE } from "@postrider/core";
import type { Random } from "@postrider/testkit";
import type { Failure, MadeUpEndpoint } from "./made-up-endpoints.ts";

const HOUR = 3_600_000;

export type Wait = readonly [ms: number, tier: string];

/** With the jitter that the dispatcher adds, and the tier that carries the wait. */
export function waitAfter(attemptNumber: number, random: Random): Wait {
  const ms = REGISTERED_SCHEDULE[attemptNumber - 1]!;
  const tier = ms < HOUR ? `${Math.min(ms, 300_000) / 1_000}s` : "1h";
  return [Math.round(ms * (1 + 0.2 * random.next())), tier];
}

/** Null: it is delivered. `ago`: how long before now it is made, ms. */
export function failureAt(
  { troubles }: MadeUpEndpoint,
  { ago, eventType }: { readonly ago: number; readonly eventType: string },
  random: Random,
): Failure | null {
  const trouble = troubles.findLast(
    ({ fromAgo, untilAgo, type = eventType }) =>
      ago <= fromAgo && ago > untilAgo && type === eventType,
  );
  return trouble !== undefined && random.next() < trouble.share
    ? random.pick(trouble.shows)
    : null;
}

/** Most answers are near what the endpoint usually takes, a few take many times as long. */
export function deliveredBy(
  { answersInMs }: MadeUpEndpoint,
  random: Random,
): Partial<Attempt> {
  const durationMs = Math.ceil(
    answersInMs * (0.7 + 0.5 * random.next() + 0.25 / (1.02 - random.next())),
  );
  return { durationMs, ...phasesOf(durationMs, random) };
}

export function failedWith(failure: Failure, random: Random): Partial<Attempt> {
  const { headers, body, durationMs, ...rest } = failure;
  const answer = {
    ...rest,
    responseHeaders: headers,
    responseBody: Buffer.from(body),
    responseBytes: body.length,
  };
  if (failure.statusCode === null)
    return { ...answer, durationMs, connectMs: 11, ttfbMs: 0 };
  const tookMs = Math.round(durationMs * (0.6 + 0.8 * random.next()));
  return { ...answer, durationMs: tookMs, ...phasesOf(tookMs, random) };
}

/** Half of the requests go over a connection that was open. */
function phasesOf(durationMs: number, random: Random): Partial<Attempt> {
  const isReused = random.next() < 0.5;
  const [dnsMs, connectMs, tlsMs] = isReused ? [0, 0, 0] : [3, 11, 19];
  const left = Math.max(1, durationMs - dnsMs - connectMs - tlsMs);
  return { isReused, dnsMs, connectMs, tlsMs, ttfbMs: Math.ceil(0.9 * left) };
}
