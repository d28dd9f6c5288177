/** Endpoints that give each partition the same load. */
import type { Endpoint } from "@postrider/core";
import { partitionOf } from "@postrider/messaging";
import { endpointAt } from "./load.ts";

/** So many for each partition that their caps together are more than all slots. */
const EACH = 8;

/** Each partition has as many of them as any other. */
export function spreadEndpoints(url: string, partitions: number): Endpoint[] {
  const found = new Map<number, Endpoint[]>();
  for (let i = 0; ; i++) {
    const endpoint = endpointAt(i, url);
    const partition = partitionOf(Buffer.from(endpoint.id), partitions);
    const there = found.get(partition) ?? [];
    if (there.length < EACH) found.set(partition, [...there, endpoint]);
    const all = [...found.values()].flat();
    if (all.length === EACH * partitions)
      return all.toSorted((a, b) => a.id.localeCompare(b.id));
  }
}
