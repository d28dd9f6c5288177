import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeOwnership, encodeOwnership } from "./sticky-assignor.ts";

test("what a member owns survives the group's protocol", () => {
  const ownership = {
    generation: 7,
    partitions: [
      { topic: "a", partition: 0 },
      { topic: "a", partition: 11 },
      { topic: "retry.1s", partition: 3 },
    ],
  };

  expect(decodeOwnership(encodeOwnership(ownership))).toEqual(ownership);
});

test("user data that is not ours owns nothing, and never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const { partitions } = decodeOwnership(Buffer.from(bytes));

        for (const { partition } of partitions)
          expect(Number.isSafeInteger(partition)).toBe(true);
      },
    ),
  );
  expect(decodeOwnership(undefined).partitions).toEqual([]);
});
