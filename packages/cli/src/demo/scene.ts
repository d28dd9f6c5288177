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
  /** The tenant of the tour's endpoints and events. */
  readonly tenant: string;
  /** Whether others' endpoints, events and rows lie beside those of the tour. */
  readonly isShared: boolean;
  /** Writes JSON envelopes to the `events` topic, as any producer would. */
  readonly publish: (
    records: readonly { key: string; value: string }[],
  ) => Promise<void>;
  /** By how many endpoints each table of the `endpoints` topic has grown since the tour began, one number per process that has one. */
  readonly tableSizes: () => Promise<readonly number[]>;
  /** How many circuit breakers the dispatcher has opened and closed since the tour began. */
  readonly breakers: () => Promise<{ opened: number; closed: number }>;
  /** How many records a tier's topic has got since the tour began. */
  readonly recordsIn: (tier: string) => Promise<number>;
}

/** The WHERE of a query that shall see the tour's own rows only; where no others lie beside them, without the tenant. */
export function where(scene: Scene, ...conditions: string[]): string {
  const all = scene.isShared
    ? [`tenant_id = '${scene.tenant}'`, ...conditions]
    : conditions;
  return all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`;
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
