import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { Log } from "./effects.ts";
import { noTracer } from "./no-tracer.ts";
import { startTraces } from "./start-traces.ts";

const log: Log = { debug() {}, info() {}, warn() {}, error() {} };

test("without settings that ask for traces there is no tracer, and nothing to stop", async () => {
  const traces = await startTraces({ settings: {}, service: "test", log });

  expect(traces).toEqual({ tracer: noTracer, parts: [] });
  expect(() =>
    traces.tracer.start("a", {
      kind: "server",
      parent: { traceparent: null, tracestate: null },
      attributes: {},
    }),
  ).toThrow("without tracing");
});

test("a process loads OpenTelemetry's SDK only by the import that waits until it is asked for", () => {
  const folder = new URL("./", import.meta.url);
  const importers = readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) =>
      /^import (?!type ).*otel-tracer/m.test(
        readFileSync(new URL(file, folder), "utf8"),
      ),
    );

  expect(importers).toEqual([]);
});
