import type { Random } from "@postrider/testkit";
import type { World } from "./world.ts";

/** One fault: what it does to a world under load. What must hold at the end is the same for all cases; testkit's checker checks it. */
export interface FaultCase {
  readonly name: string;
  /** The promise that the case proves, in a sentence; docs/guarantees.md quotes it. */
  readonly proves: string;
  /** The case takes too long for `--short`. */
  readonly isLong?: boolean;
  /** The number of brokers of the Kafka that the case runs on. Default 1. */
  readonly brokers?: 1 | 3;
  /** The stack has a schema registry. The case gives its address to the services. */
  readonly hasRegistry?: boolean;
  /** The deadline of a request to the black hole. Default 1 s. */
  readonly blackholeTimeoutMs?: number;
  run(world: World, random: Random): Promise<void>;
}
