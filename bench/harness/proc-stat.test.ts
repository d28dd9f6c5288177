import { expect, test } from "@jest/globals";
import {
  cpuSecondsOf,
  residentMbOf,
  residentOf,
  ticksOf,
} from "./proc-stat.ts";

const REST =
  "S 1 4242 4242 0 -1 4194304 1021 0 3 0 731 219 5 6 20 0 11 0 88 1 2";

test("user and system time are added, children's are not", () => {
  expect(ticksOf(`4242 (node) ${REST}`)).toBe(950);
});

test("a process may call itself anything", () => {
  expect(ticksOf(`4242 (a) b (c) R 9) ${REST}`)).toBe(950);
});

test("a text that is no stat line is refused", () => {
  expect(() => ticksOf("")).toThrow(/not a \/proc stat/);
});

test("a living process has used some time", () => {
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(0);
});

test("resident memory is read in bytes", () => {
  const status = "Name:\tnode\nVmHWM:\t  9000 kB\nVmRSS:\t  8192 kB\n";

  expect(residentOf(status)).toBe(8_388_608);
  expect(() => residentOf("Name:\tnode")).toThrow(/no VmRSS/);
});

test("a living process has some memory", () => {
  expect(residentMbOf(process.pid)).toBeGreaterThan(1);
});
