/** What the services declare to Prometheus, as docs/metrics.md lists it. */
import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LABELS } from "../scripts/metric-labels.ts";
import { declaredMetrics } from "../scripts/metrics-of.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const metrics = await declaredMetrics();

/** The first arguments of `meter.counter(…)` and so on, and of the wrappers of the same names, in all sources but tests. */
function namesInSources(): string[] {
  const names = ["packages", "services"].flatMap((area) =>
    readdirSync(join(root, area)).flatMap((part) => {
      const source = join(root, area, part, "src");
      return readdirSync(source, { recursive: true, encoding: "utf8" })
        .filter((name) => /(?<!\.test)\.ts$/.test(name))
        .flatMap((name) => [
          ...readFileSync(join(source, name), "utf8").matchAll(
            /\b(?:counter|gauge|histogram)\(\s*"(\w+)"/g,
          ),
        ])
        .map((match) => match[1] ?? "");
    }),
  );
  return [...new Set(names)].toSorted();
}

test("every metric that a source declares is known from composing the services", () => {
  expect(metrics.map(({ name }) => name)).toEqual(namesInSources());
});

test("no metric has a label whose values are not bounded, such as an endpoint", () => {
  const used = new Set(metrics.flatMap(({ labels }) => labels));

  expect([...used].filter((label) => !(label in LABELS))).toEqual([]);
  expect(Object.keys(LABELS).filter((label) => !used.has(label))).toEqual([]);
  expect(
    [...used].filter((label) =>
      /endpoint|tenant|event|delivery|webhook|url|host|origin|path|secret|id$/i.test(
        label,
      ),
    ),
  ).toEqual([]);
});

test.each(metrics)("$name says what it counts, in its unit", (metric) => {
  expect(metric.name).toMatch(/^postrider_[a-z0-9_]+$/);
  expect(metric.help).toMatch(/^[A-Z0-9].{10,}/);
  expect(metric.name.endsWith("_total")).toBe(metric.kind === "counter");
  if (metric.kind === "histogram") expect(metric.name).toMatch(/_seconds$/);
});
