import { expect, test } from "@jest/globals";
import { phasesOf } from "./phases.ts";

const NONE = { dnsMs: 0, connectMs: 0, tlsMs: 0, ttfbMs: 0, durationMs: 0 };

test("the parts are in their order, and the rest is what none of them took", () => {
  const phases = phasesOf({
    dnsMs: 1,
    connectMs: 2,
    tlsMs: 3,
    ttfbMs: 10,
    durationMs: 20,
  });

  expect(phases.map(({ name, ms }) => [name, ms])).toEqual([
    ["DNS", 1],
    ["Connect", 2],
    ["TLS", 3],
    ["First byte", 10],
    ["Rest", 4],
  ]);
});

test("what took no time is left out, also where rounding makes the rest negative", () => {
  expect(phasesOf({ ...NONE, ttfbMs: 13, durationMs: 12 })).toEqual([
    { name: "First byte", ms: 13 },
  ]);
});
