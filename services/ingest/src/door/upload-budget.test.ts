import { expect, test } from "@jest/globals";
import { UploadBudget } from "./upload-budget.ts";

test("bytes beyond the budget are not taken, and bytes given back are free again", () => {
  const budget = new UploadBudget(100);
  const [one, two] = [budget.share(), budget.share()];

  expect(one.take(60)).toBe(true);
  expect(two.take(41)).toBe(false);
  expect(two.take(40)).toBe(true);
  expect(budget.takenBytes).toBe(100);

  one.giveBack();
  one.giveBack();
  expect(budget.takenBytes).toBe(40);
  expect(two.take(60)).toBe(true);
});

test("the only share may be of any size, and grow", () => {
  const budget = new UploadBudget(100);
  const alone = budget.share();

  expect(alone.take(500)).toBe(true);
  expect(alone.take(500)).toBe(true);
  expect(budget.share().take(1)).toBe(false);
});
