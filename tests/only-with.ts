import { spawnSync } from "node:child_process";
import { describe, test } from "@jest/globals";

export interface OnlyWith {
  readonly isHere: boolean;
  /** `test` and `describe`; where the command is missing, those that skip. */
  readonly testHere: typeof test.skip;
  readonly describeHere: typeof describe.skip;
  /** Goes to the end of a test's name: why it is skipped. */
  readonly note: string;
}

/** For tests that need a command of this machine, such as `go version`: one that succeeds where it is there. */
export function onlyWith(command: string, ...args: string[]): OnlyWith {
  const isHere = spawnSync(command, args).status === 0;
  return isHere
    ? { isHere, testHere: test, describeHere: describe, note: "" }
    : {
        isHere,
        testHere: test.skip,
        describeHere: describe.skip,
        note: ` (${command} is not on this machine)`,
      };
}
