import { expect, test } from "@jest/globals";
import { freePorts, isPortFree } from "./free-port.ts";

test("free ports differ, can be bound, and are none that a system gives to connections", async () => {
  const ports = await freePorts(20);

  expect(new Set(ports).size).toBe(20);
  expect(Math.max(...ports)).toBeLessThan(32_768);
  expect(await Promise.all(ports.map(isPortFree))).not.toContain(false);
});

test("pickers of one process that look at the same time pick different ports", async () => {
  const picked = await Promise.all(
    Array.from({ length: 60 }, () => freePorts(1)),
  );

  expect(new Set(picked.flat()).size).toBe(60);
});
