import { expect, test } from "@jest/globals";
import { metricOf } from "./metrics.ts";

const TEXT = `# HELP postrider_open_records Records
# TYPE postrider_open_records gauge
postrider_open_records{stage="deliver"} 3
postrider_open_records{stage="hold"} 4.5
postrider_open_records_max 9
process_up 1`;

test("a metric is the sum of its series, and of no other metric", () => {
  expect(metricOf(TEXT, "postrider_open_records")).toBe(7.5);
  expect(metricOf(TEXT, "process_up")).toBe(1);
});

test("labels choose among the series", () => {
  expect(metricOf(TEXT, "postrider_open_records", 'stage="hold"')).toBe(4.5);
});

test("a metric that is not there is null, not 0", () => {
  expect(metricOf(TEXT, "postrider_open")).toBeNull();
});
