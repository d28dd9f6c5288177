import { expect, test } from "@jest/globals";
import { giveBack, memoryFor } from "./answer-memory.ts";

test("memory is used again once it was given back, and not before", () => {
  const first = memoryFor(200_000);
  const second = memoryFor(200_000);
  giveBack(first.subarray(100));

  const third = memoryFor(150_000);

  expect(second.buffer).not.toBe(first.buffer);
  expect(third.buffer).toBe(first.buffer);
  expect(third.length).toBe(150_000);
  giveBack(second);
  giveBack(third);
});

test("memory that is given back twice is lent once", () => {
  const answer = memoryFor(200_000);
  giveBack(answer);
  giveBack(answer);

  const lent = [memoryFor(200_000), memoryFor(200_000), memoryFor(200_000)];

  expect(new Set(lent.map(({ buffer }) => buffer)).size).toBe(3);
});

test("the memory of many long answers is not all kept", () => {
  const answers = Array.from({ length: 8 }, () => memoryFor(5 << 20));
  const buffers = new Set(answers.map(({ buffer }) => buffer));
  for (const answer of answers) giveBack(answer);

  const later = Array.from({ length: 8 }, () => memoryFor(5 << 20));

  expect(later.filter(({ buffer }) => buffers.has(buffer))).toHaveLength(2);
});

test.each([100, 13 << 20])("memory of %d bytes is not used again", (bytes) => {
  const answer = memoryFor(bytes);
  giveBack(answer);

  const buffers = [memoryFor(bytes), memoryFor(100_000)].map(
    ({ buffer }) => buffer,
  );

  // Short answers share a pool of Node's.
  if (bytes > 4096) expect(buffers).not.toContain(answer.buffer);
  else expect(buffers[1]).not.toBe(answer.buffer);
});
