import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";

const reporter = new URL("./summary-reporter.js", import.meta.url).href;

/** The last line that a process prints which reports these results and prints more afterwards. */
function lastLine(results: Readonly<Record<string, number>>): string {
  const script = `
    import Reporter from ${JSON.stringify(reporter)};
    new Reporter().onRunComplete(null, ${JSON.stringify(results)});
    console.log("jest's own summary");
  `;
  const { stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { encoding: "utf8" },
  );
  return stdout.trimEnd().split("\n").at(-1) ?? "";
}

test.each([
  [{ numPassedTests: 3 }, "3 passed, 0 failed"],
  [{ numPassedTests: 3, numFailedTests: 1 }, "3 passed, 1 failed"],
  [
    { numPassedTests: 3, numPendingTests: 2, numTodoTests: 1 },
    "3 passed, 0 failed, 3 skipped",
  ],
  // A file that could not even be loaded.
  [{ numPassedTests: 3, numRuntimeErrorTestSuites: 1 }, "3 passed, 1 failed"],
])("the last line of a run with %j is `%s`", (results, line) => {
  const none = {
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  };

  expect(lastLine({ ...none, ...results })).toBe(line);
});
