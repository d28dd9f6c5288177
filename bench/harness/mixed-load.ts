/** A load of which a fixed number of events each second goes to other endpoints than the rest, evenly mixed. Pure. */
import type { Endpoint } from "@postrider/core";
import type { Load } from "./neighbours.ts";

export interface Mix extends Pick<Load, "name" | "perSecond" | "seconds"> {
  /** Of `perSecond`, for `others`. */
  readonly othersPerSecond: number;
  readonly others: readonly Endpoint[];
  /** They get the rest of the load. */
  readonly wells: readonly Endpoint[];
}

export interface MixedLoad extends Load {
  isOthers(i: number): boolean;
}

/** Within each of the two groups the endpoints take turns. */
export function mixedLoad(mix: Mix): MixedLoad {
  const { perSecond, othersPerSecond, others, wells } = mix;
  const othersBefore = (i: number): number =>
    Math.floor((i * othersPerSecond) / perSecond);
  const isOthers = (i: number): boolean =>
    othersBefore(i + 1) > othersBefore(i);
  return {
    ...mix,
    isOthers,
    endpointOf: (i) => {
      const before = othersBefore(i);
      return isOthers(i)
        ? others[before % others.length]!
        : wells[(i - before) % wells.length]!;
    },
  };
}
