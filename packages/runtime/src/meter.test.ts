import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { createMeter } from "./meter.ts";

test("counters, gauges and histograms appear with their labels and the service", async () => {
  const meter = createMeter({ service: "recorder" });

  meter.counter("postrider_rows_total", "Rows.", ["table"]).inc({ table: "a" });
  meter
    .counter("postrider_rows_total", "Rows.", ["table"])
    .inc({ table: "a" }, 2);
  meter.gauge("postrider_lag_records", "Lag.").set(7);
  meter.histogram("postrider_wait_seconds", "Wait.", [0.1, 1]).observe(0.5);

  const page = await meter.render();
  expect(page).toContain(
    'postrider_rows_total{table="a",service="recorder"} 3',
  );
  expect(page).toContain('postrider_lag_records{service="recorder"} 7');
  expect(page).toContain('_bucket{le="0.1",service="recorder"} 0');
  expect(page).toContain('_bucket{le="1",service="recorder"} 1');
});

test("a gauge that collects is set whenever the page is read", async () => {
  const meter = createMeter({ service: "recorder" });
  let reads = 0;
  meter.gauge("postrider_reads", "Reads.", [], (gauge) =>
    gauge.set((reads += 1)),
  );

  await meter.render();

  expect(await meter.render()).toContain(
    'postrider_reads{service="recorder"} 2',
  );
});

test("one name cannot be two kinds", () => {
  const meter = createMeter({ service: "recorder" });
  meter.counter("postrider_rows_total", "Rows.");

  expect(() => meter.gauge("postrider_rows_total", "Rows.")).toThrow(
    "metric postrider_rows_total is a counter, not a gauge",
  );
});

const values = fc.double({ min: 0, max: 3, noNaN: true });
const labels = fc.record({
  outcome: fc.constantFrom("delivered", "timeout"),
  tier: fc.constantFrom("none", "retry.1s"),
});

test("counters and histograms print what prom-client's own would, whenever the page is read", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(values, labels), { maxLength: 20 }),
      fc.array(fc.tuple(values, labels), { maxLength: 20 }),
      async (before, after) => {
        const [name, help, buckets] = ["postrider_x", "X.", [0.1, 1, 2]];
        const labelNames = ["outcome", "tier"];
        const meter = createMeter({ service: "s" });
        const registry = new Registry();
        registry.setDefaultLabels({ service: "s" });
        const registers = [registry];
        const ours = {
          plain: meter.counter(`${name}_a`, help),
          counter: meter.counter(`${name}_b`, help, labelNames),
          histogram: meter.histogram(`${name}_c`, help, buckets, labelNames),
          bare: meter.histogram(`${name}_d`, help, buckets),
        };
        const theirs = {
          plain: new Counter({ name: `${name}_a`, help, registers }),
          counter: new Counter({
            name: `${name}_b`,
            help,
            labelNames,
            registers,
          }),
          histogram: new Histogram({
            name: `${name}_c`,
            help,
            buckets,
            labelNames,
            registers,
          }),
          bare: new Histogram({ name: `${name}_d`, help, buckets, registers }),
        };

        for (const part of [before, after]) {
          for (const [value, given] of part) {
            ours.plain.inc();
            theirs.plain.inc();
            ours.counter.inc(given, value);
            theirs.counter.inc(given, value);
            ours.histogram.observe(value, given);
            theirs.histogram.observe(given, value);
            ours.bare.observe(value);
            theirs.bare.observe(value);
          }
          expect(inOrder(await meter.render())).toEqual(
            inOrder(await registry.metrics()),
          );
        }
      },
    ),
    { numRuns: 50 },
  );
});

/** The lines, with sums rounded: numbers that are added up in another order differ in the last digit. */
function inOrder(page: string): string[] {
  return page
    .split("\n")
    .map((line) => line.replace(/(?<= )\d+\.\d+$/, (n) => Number(n).toFixed(6)))
    .toSorted();
}

test("an unknown label, or a number that is not one, is refused where it is counted", () => {
  const meter = createMeter({ service: "s" });
  const counter = meter.counter("postrider_x_total", "X.", ["tier"]);
  const histogram = meter.histogram("postrider_x", "X.", [1], ["tier"]);

  expect(() => counter.inc({ tenant: "acme" })).toThrow();
  expect(() => counter.inc({ tier: "none" }, -1)).toThrow();
  expect(() => histogram.observe(1, { tenant: "acme" })).toThrow();
  expect(() => histogram.observe(NaN, { tier: "none" })).toThrow();
});

test("two meters share nothing", async () => {
  createMeter({ service: "a" }).gauge("postrider_x", "X.").set(1);

  expect(await createMeter({ service: "b" }).render()).not.toContain(
    "postrider_x",
  );
});
