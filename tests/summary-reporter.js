/** Ends a run with one line for people and machines: `N passed, N failed`, `, N skipped` where there are any. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    // A file that could not even run counts as one failure: none of its tests does.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    const line = `${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    // jest prints its own summary after the reporters, and the stack still has to stop.
    process.once("exit", () => process.stdout.write(line));
  }
}
