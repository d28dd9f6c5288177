import TestSequencer from "@jest/test-sequencer";

const SLOWEST = [
  "/faults.e2e.test.ts",
  ".e2e.test.ts",
  ".integration.test.ts",
  "",
];

/**
 * Orders the test files of a run. Jest takes the largest first where it has not measured them yet, but the slowest ones are small
 * files that start many processes, and one that is left for the end keeps a worker waiting.
 */
export default class SlowestFirst extends TestSequencer {
  async sort(tests) {
    const rank = ({ path }) =>
      SLOWEST.findIndex((suffix) => path.endsWith(suffix));
    const ordered = await super.sort(tests);
    return ordered.toSorted((a, b) => rank(a) - rank(b));
  }
}
