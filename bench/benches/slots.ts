/** slots: whether every slot of a dispatcher is used while endpoints take their time, with one dispatcher and two, and how long a rebalance holds healthy traffic up. */
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

const MOST_PARTITIONS = 8;

const VARIANTS = [
  { name: "one1", dispatchers: 1, partitions: 1 },
  { name: "one8", dispatchers: 1, partitions: MOST_PARTITIONS },
  { name: "two8", dispatchers: 2, partitions: MOST_PARTITIONS },
] as const;

interface Variant {
  readonly name: string;
  readonly dispatchers: number;
  readonly site: Site;
  readonly running: readonly Started[];
}

export async function slots(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const rounds = isShort ? 2 : 6;
  const seconds = isShort ? 5 : 10;
  const stack = await startOwnStack(context);
  await stack.clickhouse.server?.stop();
  const args = ["--answer-after", String(ANSWER_MS)];
  const sink = await startSink(BOTH_CORES, args);
  const endpoints = spreadEndpoints(sink.url, MOST_PARTITIONS);
  const env = { POSTRIDER_MAX_IN_FLIGHT: String(SLOTS) };
  const variants: Variant[] = [];
  for (const { name, dispatchers, partitions } of VARIANTS) {
    const given = { stack, sink, prefix: `${name}.`, endpoints, env };
    const site = await Site.create(context, { ...given, partitions });
    const running: Started[] = [];
    while (running.length < dispatchers)
      running.push(await site.startDispatcher());
    variants.push({ name, dispatchers, site, running });
  }
  const used = new Map<string, Used[]>(variants.map(({ name }) => [name, []]));
  // In the first round endpoints are unknown and may have half of the slots; it is not counted.
  const bare: Used[] = [];
  for (let round = 0; round <= rounds; round++) {
    const count = Math.round(IDEAL_PER_SECOND * seconds);
    bare.push(await bareUse(sink, { round, count, slots: SLOTS }));
    say(`round ${round}, bare: ${JSON.stringify(bare.at(-1))}`);
    for (const variant of variants) {
      const { site, running } = variant;
      const one = await backlogUse(sink, site, {
        running,
        slots: SLOTS,
        seconds,
      });
      used.get(variant.name)!.push(one);
      say(`round ${round}, ${variant.name}: ${JSON.stringify(one)}`);
    }
  }
  const pauses = await rebalancePauses(context, variants[1]!.site, {
    perSecond: HEALTHY_PER_SECOND,
    repeats: isShort ? 1 : 4,
    most: 2,
    underWay: SLOTS,
  });
  let deferrals = 0;
  for (const { site } of variants) deferrals += await site.checkAttempts();
  const repeated = variants[1]!.site.repeated;
  return resultOf({ used, bare, pauses }, { deferrals, repeated });
}

function resultOf(
  {
    used,
    bare,
    pauses,
  }: {
    readonly used: ReadonlyMap<string, readonly Used[]>;
    readonly bare: readonly Used[];
    readonly pauses: Pauses;
  },
  others: { readonly deferrals: number; readonly repeated: number },
): BenchResult {
  const middleOf = (of: readonly Used[], key: keyof Used): number =>
    rounded(median(withoutFirst(of).map((one) => one[key])));
  const middle = (name: string, key: keyof Used): number =>
    middleOf(used.get(name)!, key);
  const names = VARIANTS.map(({ name }) => name);
  const lowest = Math.min(...names.map((name) => middle(name, "ratio")));
  const counted = [...used.values()].flatMap((of) => withoutFirst(of));
  const ratios = counted.map(({ ratio }) => ratio);
  const joinPauseMs = rounded(Math.max(...pauses.joinMs));
  const leavePauseMs = rounded(Math.max(...pauses.leaveMs));
  return {
    bench: "slots",
    figures: {
      slots: SLOTS,
      ...Object.fromEntries(
        names.flatMap((name) => [
          [`${name}PerSecond`, middle(name, "perSecond")],
          [`${name}Ratio`, middle(name, "ratio")],
          [`${name}BusyShare`, middle(name, "busyShare")],
          [`${name}Cores`, middle(name, "cores")],
        ]),
      ),
      joinPauseMs,
      leavePauseMs,
      calmMaxMs: rounded(pauses.calmMs),
      ...others,
    },
    baseline: {
      idealPerSecondAndProcess: IDEAL_PER_SECOND,
      barePerSecond: middleOf(bare, "perSecond"),
      bareRatio: middleOf(bare, "ratio"),
      bareBusyShare: middleOf(bare, "busyShare"),
    },
    ratio: lowest,
    target: `ratio to the ideal >= ${TARGET.ratio} with 1 dispatcher on 1 and on 8 partitions and with 2 on 8; a rebalance pauses healthy traffic <= ${TARGET.pauseMs} ms`,
    pass:
      lowest >= TARGET.ratio &&
      Math.max(joinPauseMs, leavePauseMs) <= TARGET.pauseMs,
    pairs: withoutFirst(used.get("one8")!).length,
    spread: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
