import { expect, test } from "@jest/globals";
import { freePorts, isPortFree } from "./free-port.ts";

test("free ports differ, can be bound, and are none that a system gives to connections", async () => {
  const ports = await freePorts(20);

  expect(new Set(ports).size).toBe(20);
  expect(Math.max(...ports)).toBeLessThan(32_768);
  expect(await Promise.all(ports.map(isPortFree))).not.toContain(false);
});
