import type { ApiAddress } from "../api.ts";
import type { Terminal } from "../terminal.ts";
import type { Cast } from "./cast.ts";
import type { Narrator } from "./narrator.ts";

/** What the steps of the tour work with. */
export interface Scene {
  readonly narrator: Narrator;
  readonly terminal: Terminal;
  readonly cast: Cast;
  readonly control: ApiAddress;
  /** Writes JSON envelopes to the `events` topic, as any producer would. */
  readonly publish: (
    records: readonly { key: string; value: string }[],
  ) => Promise<void>;
  /** The number of endpoints in each table of the `endpoints` topic, one number per process that has one. */
  readonly tableSizes: () => Promise<readonly number[]>;
  /** How many circuit breakers the dispatcher has opened and closed. */
  readonly breakers: () => Promise<{ opened: number; closed: number }>;
  /** How many records a tier's topic holds. */
  readonly recordsIn: (tier: string) => Promise<number>;
}

/** Checks a claim of the tour: throws, naming both values, when they differ. */
export function expectEqual(
  what: string,
  found: unknown,
  wanted: unknown,
): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: expected ${b}, found ${a}`);
}
