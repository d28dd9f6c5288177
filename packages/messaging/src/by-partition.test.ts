import { expect, test } from "@jest/globals";
import { ByPartition } from "./by-partition.ts";

test("each partition of each topic has a value of its own", () => {
  const values = new ByPartition<string>();
  values.set({ topic: "a", partition: 3 }, "a3");
  values.set({ topic: "a", partition: 0 }, "a0");
  values.set({ topic: "b", partition: 3 }, "b3");

  values.delete({ topic: "a", partition: 0 });
  values.delete({ topic: "c", partition: 0 });

  expect(values.get({ topic: "a", partition: 3 })).toBe("a3");
  expect(values.get({ topic: "a", partition: 0 })).toBeUndefined();
  expect(values.get({ topic: "c", partition: 3 })).toBeUndefined();
  expect([...values.values()]).toEqual(["a3", "b3"]);
});
