import type { FaultCase } from "../case.ts";
import { dispatcherKilled } from "./dispatcher-killed.ts";

/** In the order in which they run. */
export const CASES: readonly FaultCase[] = [dispatcherKilled];
