/** Part 2: Helm 3 takes the chart as Helm 4 does, with which all other tests use it. */
import { isDeepStrictEqual } from "node:util";
import { CHART } from "../chart/helm.ts";
import { MATRIX, nameOf, render, run, valuesFile } from "../chart/render.ts";
import type { Part } from "./part.ts";

export const helmPart: Part = {
  name: "helm",
  title: "The Helm chart by Helm 3",
  async run({ prepared: { helms }, checks }) {
    if ("missing" in helms) return checks.skip("Helm 3", helms.missing);
    const { three, four } = helms;
    await checks.check("helm lint --strict of every file of ci/", async () => {
      for (const name of MATRIX) {
        const values = `--values=${valuesFile(name)}`;
        const linted = run(three, "lint", "--strict", CHART, values);
        if (!linted.ok) throw new Error(`${name}:\n${linted.output}`);
      }
      return run(three, "version", "--short").output.trim();
    });
    await checks.check(
      "helm template makes the same objects as by Helm 4",
      async () => {
        const counts = MATRIX.map((name) => sameObjects(name, three, four));
        const all = counts.reduce((sum, count) => sum + count, 0);
        return `${all} objects of ${MATRIX.length} files; ${run(four, "version", "--short").output.trim()}`;
      },
    );
    await checks.check("a wrong value is refused by its name", async () => {
      const { ok, output } = run(
        three,
        "template",
        "postrider",
        CHART,
        `--values=${valuesFile("minimal")}`,
        "--set=ingest.replica=3",
      );
      if (ok || !/ingest.*replica/.test(output)) throw new Error(output);
    });
  },
};

/** How many objects both make of a file of ci/. Throws the names of those that differ. */
function sameObjects(name: string, three: string, four: string): number {
  const [old, young] = [three, four].map(
    (helm) =>
      new Map(render(helm, name).map((object) => [nameOf(object), object])),
  ) as [Map<string, unknown>, Map<string, unknown>]; // of two
  const all = new Set([...old.keys(), ...young.keys()]);
  const other = [...all].filter(
    (each) => !isDeepStrictEqual(old.get(each), young.get(each)),
  );
  if (other.length > 0)
    throw new Error(`${name}: Helm 3 makes others of ${other.join(", ")}`);
  return all.size;
}
