/** Ends a run with one line for people and programs: `N passed, N failed`, and `, N skipped` if there are any. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    // A file that could not be loaded counts as one failure, because none of its tests ran.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    const line = `${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    // Printed at exit: after the reporters jest prints its own summary, and the stack still has to stop.
    process.once("exit", () => process.stdout.write(line));
  }
}
