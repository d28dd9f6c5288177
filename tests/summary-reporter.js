import { writeSync } from "node:fs";

/** Ends a run with one line for people and programs: `N passed, N failed`, and `, N skipped` if there are any. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    // A file that could not be loaded counts as one failure, because none of its tests ran.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    const line = `${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    // Printed at exit: after the reporters jest prints its own summary, and the stack still has to stop. Not by
    // `process.stdout`, which takes nothing any more where jest forces the exit.
    process.once("exit", () => writeSync(1, line));
  }
}
