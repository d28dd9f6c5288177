import { expect, test } from "@jest/globals";
import { lastGood } from "./last-good.ts";

test("what could not be read again is used as it was, and the log says so once until it was read again", () => {
  const warned: unknown[] = [];
  let next: string | Error = "first";
  const read = lastGood(
    () => {
      if (next instanceof Error) throw next;
      return next;
    },
    {
      event: "x.notReadAgain",
      variable: "X",
      log: { warn: (_event, fields) => void warned.push(fields?.["error"]) },
    },
  );
  const [lost, lostAgain] = [new Error("lost"), new Error("lost again")];

  const values = ["first", lost, lost, "second", lostAgain].map((given) => {
    next = given;
    return read();
  });

  expect(values).toEqual(["first", "first", "first", "second", "second"]);
  expect(warned).toEqual([lost, lostAgain]);
});

test("a secret that could never be read is an error", () => {
  const read = lastGood(
    () => {
      throw new Error("lost");
    },
    { event: "x", variable: "X", log: { warn: () => undefined } },
  );

  expect(read).toThrow("lost");
});
