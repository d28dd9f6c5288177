/**
 * What endpoints that misbehave cost the others. A pair of runs has the same load: in the first run all endpoints are well, in the
 * second some are unruly, or some get other shares of the load. Counted are only deliveries to endpoints that are well in both.
 */
import type { Endpoint } from "@postrider/core";
import type { Arrival } from "./arrival.ts";
import type { BenchContext, Figures } from "./context.ts";
import {
  arrivalAtSink,
  sendLoad,
  type Load,
  type Neighbours,
} from "./neighbours.ts";
import { comeToRest } from "./rest.ts";
import { median, rounded } from "./statistics.ts";

export interface Ran extends Arrival {
  /** From the time at which all that goes to the sink had come, and the unruly sink became well, until nothing waited or moved any more, ms. */
  readonly restMs: number;
}

export interface RanPair {
  readonly without: Ran;
  readonly with: Ran;
}

export interface Case extends Omit<Load, "endpointOf"> {
  /** Who gets the `i`-th event, without and with the neighbour. */
  readonly endpointOf: (i: number, side: keyof RanPair) => Endpoint;
  /** The `i`-th event goes to the sink in both runs, to an endpoint that is no neighbour. */
  readonly isCounted: (i: number) => boolean;
  /** The beginning of each load, which is not counted. */
  readonly warmUpSeconds: number;
  /** The neighbour is the unruly sink, and not another share of the load. */
  readonly isUnruly: boolean;
  /** How long everything may wait for neighbours that have become well, ms. */
  readonly restWithinMs: number;
}

/** Throws when something of the load comes not, or waits for too long, or comes twice to an endpoint that is well. */
export async function runPair(
  context: BenchContext,
  hood: Neighbours,
  given: Case,
): Promise<RanPair> {
  const without = await run(context, hood, given, "without");
  const pair = { without, with: await run(context, hood, given, "with") };
  context.say(`${given.name}: ${JSON.stringify(pair)}`);
  return pair;
}

async function run(
  context: BenchContext,
  hood: Neighbours,
  ...[given, side]: readonly [Case, keyof RanPair]
): Promise<Ran> {
  const { unruly, topics } = hood;
  const isUnruly = given.isUnruly && side === "with";
  if (isUnruly) await unruly.turn(false);
  const sent = await sendLoad(context, hood, {
    ...given,
    name: `${given.name}-${side}`,
    endpointOf: (i) => given.endpointOf(i, side),
  });
  if (isUnruly) await unruly.turn(true);
  const restMs = await comeToRest(topics, given.restWithinMs);
  const from = given.warmUpSeconds * given.perSecond;
  const [arrival] = await arrivalAtSink(
    hood,
    sent,
    (i) => i >= from && given.isCounted(i),
  );
  const { unique } = await unruly.count();
  if (unique !== sent.atUnruly.size)
    throw new Error(
      `the unruly sink saw ${unique} ids of ${sent.atUnruly.size}`,
    );
  return { ...arrival!, restMs };
}

export interface Compared {
  /** With ÷ without, of each pair. */
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  /** The least of all pairs with the neighbour. */
  readonly rate: number;
  readonly delivered: number;
}

export function comparePairs(pairs: readonly RanPair[]): Compared {
  const ratios = (key: "p50Ms" | "p99Ms"): number[] =>
    pairs.map((pair) => pair.with[key] / pair.without[key]);
  const least = (key: "rate" | "delivered"): number =>
    Math.min(...pairs.map((pair) => pair.with[key]));
  return {
    p50: ratios("p50Ms"),
    p99: ratios("p99Ms"),
    rate: least("rate"),
    delivered: least("delivered"),
  };
}

/** The medians of one side, with names that begin with `prefix`. */
export function figuresOf(
  prefix: string,
  pairs: readonly RanPair[],
  side: keyof RanPair,
): Figures {
  const middle = (key: keyof Ran): number =>
    rounded(median(pairs.map((pair) => pair[side][key])));
  return {
    [`${prefix}P50Ms`]: middle("p50Ms"),
    [`${prefix}P99Ms`]: middle("p99Ms"),
  };
}
