import type { DataSet } from "./data-set.ts";

/** Many more rows than a query of a short window, or of one tenant, may read. */
export const NOISE = 40_000;

/** As many rows of each table of a busy tenant of its own, all of them `agoMs` before those of the data set. */
export function noiseOf(
  data: DataSet,
  agoMs: number,
): Pick<DataSet, "attempts" | "intakes" | "deadLetters"> {
  return {
    attempts: noise(data.attempts, ["startedAt", "receivedAt"], agoMs),
    intakes: noise(data.intakes, ["receivedAt", "decidedAt"], agoMs),
    deadLetters: noise(data.deadLetters, ["deadAt", "receivedAt"], agoMs),
  };
}

function noise<T extends object>(
  of: readonly T[],
  times: readonly string[],
  agoMs: number,
): T[] {
  return Array.from({ length: NOISE }, (_, n) => {
    const each = of[n % of.length] as T & Record<string, unknown>;
    const moved = times.map((name) => [name, Number(each[name]) - agoMs]);
    return {
      ...each,
      ...Object.fromEntries(moved),
      tenantId: "zz-busy",
      eventId: `zz_${n}`,
      deliveryId: `zz_${n}`,
      sourceOffset: n,
    };
  });
}
