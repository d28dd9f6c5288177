import { expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { TableCurrency } from "./table-currency.ts";

test("a table that was behind, however shortly, logs that it fell behind and that it caught up", async () => {
  let nowMs = 0;
  const clock = { ...testEffects().clock, monotonic: () => nowMs };
  const { log } = testEffects();
  const read = Promise.withResolvers<boolean>();
  const currency = new TableCurrency({
    topic: "endpoints",
    isReadToEnd: () => read.promise,
    isWhole: () => true,
    clock,
    log,
  });

  nowMs = 4_500;
  currency.start(0);
  nowMs = 5_500;
  expect(currency.behindMs()).toBe(5_500);
  read.resolve(true);
  await waitFor(() => currency.behindMs() === null);
  currency.stop();

  expect(log.of("table.fellBehind")).toHaveLength(1);
  expect(log.of("table.caughtUp")).toHaveLength(1);
});
