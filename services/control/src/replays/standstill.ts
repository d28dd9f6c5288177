import type { MonotonicMs, Replay } from "@postrider/core";
import { waitsFor } from "./replay.ts";

interface Seen {
  readonly place: string;
  readonly since: MonotonicMs;
}

/**
 * Since when each running replay has stood at its place. It knows only what it has seen: call it every few seconds. A new owner of control
 * begins anew. State: of each replay that ran at the last call, its place then, and since when it has that.
 */
export class Standstill {
  #seen = new Map<string, Seen>();

  /** How long the one that has stood still longest has, ms; 0 where none runs. One that waits its turn after another that runs is left out. */
  longestMs(all: readonly Replay[], now: MonotonicMs): number {
    const running = all.filter(({ state }) => state === "running");
    const seen = new Map<string, Seen>();
    let longest = 0;
    for (const replay of running) {
      const place = JSON.stringify(replay.place);
      const before = this.#seen.get(replay.id);
      const isWaiting = waitsFor(replay, running).length > 0;
      const since = !isWaiting && before?.place === place ? before.since : now;
      seen.set(replay.id, { place, since });
      longest = Math.max(longest, now - since);
    }
    this.#seen = seen;
    return longest;
  }
}
