import { expect, test } from "@jest/globals";
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

test("two meters share nothing", async () => {
  createMeter({ service: "a" }).gauge("postrider_x", "X.").set(1);

  expect(await createMeter({ service: "b" }).render()).not.toContain(
    "postrider_x",
  );
});
