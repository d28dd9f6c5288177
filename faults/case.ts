import type { Random } from "@postrider/testkit";
import type { World } from "./world.ts";

/** One fault: what it does to a world under load. What must hold at the end is the same for all, and the checker's. */
export interface FaultCase {
  readonly name: string;
  /** The promise, in a sentence; docs/guarantees.md quotes it. */
  readonly proves: string;
  /** Too long for `--short`. */
  readonly isLong?: boolean;
  /** Of the Kafka it runs on; default 1. */
  readonly brokers?: 1 | 3;
  /** The deadline of a request to the black hole. Default 1 s. */
  readonly blackholeTimeoutMs?: number;
  run(world: World, random: Random): Promise<void>;
}
