/** Broken commit metadata: what another program may have written beside an offset of ours. */
import { expect, test } from "@jest/globals";
import { fuzz, mutated, type FuzzOptions } from "@postrider/testkit";
import { decodeIntent, encodeIntent } from "./batch-runner/intent-metadata.ts";
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
} from "./offsets/offset-metadata.ts";

const oneOf =
  (samples: readonly Buffer[]): FuzzOptions<Buffer>["make"] =>
  (random) =>
    mutated(random, samples[random.between(0, samples.length - 1)]!, samples);

test("metadata of an offset is ours and consistent, or is not taken", async () => {
  const texts = [
    { base: 5, next: 9, runs: [5, 1, 7, 2], tag: "m-1", counter: 36 },
    { base: 0, next: 0, runs: [], tag: "a", counter: 0 },
    {
      base: 1_000,
      next: 90_000,
      runs: Array.from({ length: 800 }, (_, i) =>
        i % 2 === 0 ? 1_000 + 100 * (i / 2) : 1 + (i % 7),
      ),
      tag: "member",
      counter: 7,
    },
  ].map((metadata) => encodeOffsetMetadata(metadata));
  await fuzz({
    name: "offset metadata",
    make: (random) => {
      const [body = "", ...rest] = random
        .pick(texts as [string, ...string[]])
        .split("~");
      const broken = mutated(random, Buffer.from(body, "base64"));
      return random.next() < 0.7
        ? [broken.toString("base64"), ...rest].join("~")
        : mutated(random, Buffer.from([body, ...rest].join("~"))).toString();
    },
    feed: (text) => {
      for (const committed of [0, 5, 1_000]) {
        const found = decodeOffsetMetadata(text, committed);
        if (found === null) continue;
        const { base, next, runs } = found;
        expect(base).toBe(committed);
        let end = base;
        for (let i = 0; i < runs.length; i += 2) {
          expect(runs[i]).toBeGreaterThanOrEqual(end);
          end = runs[i]! + runs[i + 1]!;
        }
        expect(end).toBeLessThanOrEqual(next);
      }
    },
  });
});

test("the intent of a batch is consistent, or is not taken", async () => {
  const range = { partition: 3, first: 10, last: 19, firstTimestamp: 5 };
  const texts = [
    { intendedAt: 9, ranges: [{ ...range, excluded: [11, 12, 15] }] },
    {
      intendedAt: 9,
      ranges: [
        { ...range, excluded: [] },
        { ...range, partition: 4, excluded: [10] },
      ],
    },
  ].map((intent) => Buffer.from(encodeIntent(intent)));
  await fuzz({
    name: "intent metadata",
    make: (random) => oneOf(texts)(random).toString(),
    feed: (text) => {
      const stored = decodeIntent(text, 3);

      expect(stored.kind === "none").toBe(text === "");
      if (stored.kind !== "intent") return;
      for (const { first, last, excluded } of stored.intent.ranges) {
        expect(first).toBeLessThanOrEqual(last);
        expect(excluded.every((at) => at >= first && at <= last)).toBe(true);
      }
    },
  });
});
