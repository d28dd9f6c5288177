import { expect, test } from "@jest/globals";
import { InsertLinger } from "./insert-linger.ts";

async function afterInsertOf(
  tookMs: number,
  kind: "inserted" | "unavailable" = "inserted",
): Promise<InsertLinger> {
  let now = 1_000;
  const linger = new InsertLinger(200, () => now);
  await linger.time(() => {
    now += tookMs;
    return Promise.resolve({ kind });
  });
  return linger;
}

test.each([
  { tookMs: 5, waitsMs: 200 },
  { tookMs: 40, waitsMs: 760 },
  { tookMs: 5_000, waitsMs: 2_000 },
])(
  "after an insert of $tookMs ms a batch waits $waitsMs ms",
  async ({ tookMs, waitsMs }) => {
    const linger = await afterInsertOf(tookMs);
    expect(linger.msFrom(1_000 + tookMs)).toBe(waitsMs);
  },
);

test("a batch whose first record came during the insert waits as long", async () => {
  const linger = await afterInsertOf(40);
  expect(linger.msFrom(1_000)).toBe(760);
});

test("before the first insert, and after a rest, a batch waits for the configured linger", async () => {
  const fresh = new InsertLinger(200, () => 0);
  expect(fresh.msFrom(5)).toBe(200);

  const rested = await afterInsertOf(40);
  expect(rested.msFrom(1_040 + 761)).toBe(200);
});

test("an insert that the table did not take does not lengthen the wait", async () => {
  const linger = await afterInsertOf(60_000, "unavailable");
  expect(linger.msFrom(61_000)).toBe(200);
});
