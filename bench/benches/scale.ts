/** scale: whether a second and a third dispatcher add as much as the first one can do, and how long each join and each leave holds healthy traffic up. */
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { BOTH_CORES } from "../harness/processes.ts";
import { rebalancePauses, type Pauses } from "../harness/rebalance-pauses.ts";
import { startSink } from "../harness/sink.ts";
import { Site, type Started } from "../harness/site.ts";
import {
  ANSWER_MS,
  backlogUse,
  bareUse,
  HEALTHY_PER_SECOND,
  IDEAL_PER_SECOND,
  SLOTS,
  TARGET,
  type Used,
} from "../harness/slot-use.ts";
import { spreadEndpoints } from "../harness/spread-endpoints.ts";
import { startOwnStack } from "../harness/stack.ts";
import { median, rounded, withoutFirst } from "../harness/statistics.ts";

const PARTITIONS = 12;
const NAMES = ["one", "two", "three"] as const;
/** A dispatcher that has just started gives endpoints that it does not know half of its slots; this load makes them known. */
const WARM_SECONDS = 2;

/** What one, two and three dispatchers did, and a bare loop just before. */
interface Cycle {
  readonly bare: Used;
  readonly used: readonly Used[];
}

export async function scale(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const cycles = isShort ? 2 : 6;
  const seconds = isShort ? 5 : 10;
  const stack = await startOwnStack(context);
  await stack.clickhouse.server?.stop();
  const args = ["--answer-after", String(ANSWER_MS)];
  const sink = await startSink(BOTH_CORES, args);
  const site = await Site.create(context, {
    stack,
    sink,
    prefix: "scale.",
    endpoints: spreadEndpoints(sink.url, PARTITIONS),
    partitions: PARTITIONS,
    env: { POSTRIDER_MAX_IN_FLIGHT: String(SLOTS) },
  });
  const first = await site.startDispatcher();
  const seen: Cycle[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    const count = Math.round(IDEAL_PER_SECOND * seconds);
    const bare = await bareUse(sink, { round: cycle, count, slots: SLOTS });
    const running: Started[] = [first];
    const used: Used[] = [];
    for (const name of NAMES) {
      if (used.length > 0) running.push(await site.startDispatcher());
      const given = { running, slots: SLOTS };
      await backlogUse(sink, site, { ...given, seconds: WARM_SECONDS });
      used.push(await backlogUse(sink, site, { ...given, seconds }));
      say(`cycle ${cycle}, ${name}: ${JSON.stringify(used.at(-1))}`);
    }
    for (const each of running.slice(1)) await each.stop();
    seen.push({ bare, used });
  }
  const pauses = await rebalancePauses(context, site, {
    perSecond: HEALTHY_PER_SECOND,
    repeats: isShort ? 1 : 4,
    most: NAMES.length,
    underWay: SLOTS,
  });
  const deferrals = await site.checkAttempts();
  const { repeated } = site;
  return resultOf(withoutFirst(seen), pauses, { deferrals, repeated });
}

function resultOf(
  cycles: readonly Cycle[],
  pauses: Pauses,
  others: { readonly deferrals: number; readonly repeated: number },
): BenchResult {
  const middle = (of: (cycle: Cycle) => number): number =>
    rounded(median(cycles.map(of)));
  /** Of so many dispatchers' rate, over so many times that of one. */
  const linear = ({ used }: Cycle, count: number): number =>
    used[count - 1]!.perSecond / (count * used[0]!.perSecond);
  const ratios = cycles.map((cycle) =>
    Math.min(linear(cycle, 2), linear(cycle, 3)),
  );
  const joinPauseMs = rounded(Math.max(...pauses.joinMs));
  const leavePauseMs = rounded(Math.max(...pauses.leaveMs));
  const ratio = rounded(median(ratios));
  return {
    bench: "scale",
    figures: {
      slots: SLOTS,
      ...Object.fromEntries(
        NAMES.flatMap((name, i) => [
          [`${name}PerSecond`, middle(({ used }) => used[i]!.perSecond)],
          [`${name}BusyShare`, middle(({ used }) => used[i]!.busyShare)],
          [`${name}Cores`, middle(({ used }) => used[i]!.cores)],
          [`${name}IdleCores`, middle(({ used }) => used[i]!.idleCores)],
        ]),
      ),
      twoRatio: middle((cycle) => linear(cycle, 2)),
      threeRatio: middle((cycle) => linear(cycle, 3)),
      joinPauseMs,
      leavePauseMs,
      calmMaxMs: rounded(pauses.calmMs),
      ...others,
    },
    baseline: {
      idealPerSecondAndProcess: IDEAL_PER_SECOND,
      barePerSecond: middle(({ bare }) => bare.perSecond),
    },
    ratio,
    target: `2 and 3 dispatchers >= ${TARGET.ratio} of 2 and 3 times the rate of one; each join and each leave pauses healthy traffic <= ${TARGET.pauseMs} ms`,
    pass:
      ratio >= TARGET.ratio &&
      Math.max(joinPauseMs, leavePauseMs) <= TARGET.pauseMs,
    pairs: cycles.length,
    spread: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
