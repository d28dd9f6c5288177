import type { Checks } from "./checks.ts";
import type { Engine } from "./engine.ts";
import type { Prepared } from "./prepare.ts";

/** One part of the deployment tests. It runs in the sandbox, and may leave processes: they end with the sandbox. */
export interface Part {
  /** The name by which it is chosen: `npm run test:deploy -- NAME`. */
  readonly name: string;
  readonly title: string;
  run(given: {
    readonly engine: Engine;
    readonly prepared: Prepared;
    /** A temporary folder, which is removed after all parts. */
    readonly folder: string;
    readonly checks: Checks;
  }): Promise<void>;
}
