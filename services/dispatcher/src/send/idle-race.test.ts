import { expect, test } from "@jest/globals";
import { idleRaceMs } from "./idle-race.ts";

test.each([
  [0, 10],
  [5, 10],
  [30, 60],
  [100, 200],
  [5_000, 200],
])(
  "a close that crossed the request of a connection opened in %d ms comes within %d ms",
  (connectMs, expected) => {
    expect(idleRaceMs(connectMs)).toBe(expected);
  },
);
