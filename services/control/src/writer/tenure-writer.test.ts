import { expect, test } from "@jest/globals";
import { createTenureWriter } from "./tenure-writer.ts";

test("what people write goes before what has no hurry, each in the order of arrival", async () => {
  const { inTurn, inSpareTurn } = createTenureWriter({
    ownership: { tenure: () => null },
    readBack: async () => {},
  });
  const held = Promise.withResolvers<void>();
  const done: string[] = [];
  const noted = (what: string) => async () => void done.push(what);

  const all = [
    inSpareTurn(() => held.promise),
    inSpareTurn(noted("spare 1")),
    inTurn(noted("first")),
    inSpareTurn(noted("spare 2")),
    inTurn(() => Promise.reject(new Error("refused"))),
    inTurn(noted("second")),
  ];
  held.resolve();
  const settled = await Promise.allSettled(all);

  expect(done).toEqual(["first", "second", "spare 1", "spare 2"]);
  expect(settled[4]).toMatchObject({ status: "rejected" });
});
