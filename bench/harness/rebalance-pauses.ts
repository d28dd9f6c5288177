/** How long deliveries wait while dispatchers join one after the other, and leave again, under a steady load. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "./context.ts";
import { nowMicros } from "./open-loop.ts";
import type { Site, Started } from "./site.ts";

export interface Pauses {
  /** For each join, and for each leave: the longest time from the moment for which a delivery was planned to its request, ms. */
  readonly joinMs: readonly number[];
  readonly leaveMs: readonly number[];
  /** The longest such time while nobody joined or left, ms. */
  readonly calmMs: number;
}

/** How long nothing changes before each join and each leave, ms. A rebalance that the change causes is over by then. */
const CALM_MS = 5_000;

interface Change {
  readonly kind: "join" | "leave";
  /** Deliveries planned from here on may be held up by it; µs since the load began. */
  readonly from: number;
}

/** The site must have one dispatcher that runs and is warm. */
export async function rebalancePauses(
  { say }: BenchContext,
  site: Site,
  given: {
    readonly perSecond: number;
    readonly repeats: number;
    /** So many dispatchers there are once all have joined. */
    readonly most: number;
    /** Requests that are under way at once, at most: so many may be repeated when a join moves their partitions. */
    readonly underWay: number;
  },
): Promise<Pauses> {
  const { perSecond, repeats, most, underWay } = given;
  const changes: Change[] = [];
  let isOver = false;
  const startedAt = nowMicros();
  const changed = (kind: Change["kind"]): void =>
    void changes.push({ kind, from: nowMicros() - startedAt });
  const changing = async (): Promise<void> => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const joined: Started[] = [];
      while (joined.length < most - 1) {
        await sleep(CALM_MS);
        changed("join");
        joined.push(await site.startDispatcher());
      }
      for (const each of joined.toReversed()) {
        await sleep(CALM_MS);
        changed("leave");
        await each.stop();
      }
    }
    await sleep(CALM_MS);
  };
  const [latencies] = await Promise.all([
    site.latencies({
      count: Infinity,
      perSecond,
      isOver: () => isOver,
      // Joins alone: a clean leave finishes what is under way, and what the others have under way stays theirs.
      repeatsAllowed: repeats * (most - 1) * underWay,
    }),
    changing().finally(() => (isOver = true)),
  ]);
  const plannedAt = (i: number): number => (i * 1e6) / perSecond;
  const longest = new Map<Change | null, number>();
  latencies.forEach((ms, i) => {
    const change = changes.findLast(({ from }) => from <= plannedAt(i)) ?? null;
    longest.set(change, Math.max(longest.get(change) ?? 0, ms));
  });
  const of = (kind: Change["kind"]): number[] =>
    changes.filter((one) => one.kind === kind).map((one) => longest.get(one)!);
  const pauses = { joinMs: of("join"), leaveMs: of("leave") };
  say(`rebalances: ${JSON.stringify(pauses)}`);
  return { ...pauses, calmMs: longest.get(null)! };
}
