import { expect, test } from "@jest/globals";
import { OwnedPartition } from "../offsets/owned-partition.ts";
import { RUNNER_LIMITS } from "./runner-limits.ts";
import { measure } from "./window-pressure.ts";

const limits = {
  ...RUNNER_LIMITS,
  maxOpenPerPartition: 100,
  metadataPressureChars: 1000,
};

interface Held {
  readonly openInMemory?: number;
  readonly bytes?: number;
  readonly encodedChars?: number;
}

/** What the partition is after it has held each of these in turn. */
function after(hasRelief: boolean, ...states: readonly Held[]) {
  const partition = new OwnedPartition({ topic: "t", partition: 0 });
  let offset = 0;
  for (const { openInMemory = 0, bytes = 0, encodedChars = 0 } of states) {
    const held = Array.from({ length: Math.max(openInMemory, 1) }, (_, at) => ({
      raw: { offset: offset++ },
      bytes: at === 0 ? bytes : 0,
    }));
    const word = { offset: 0, metadata: "x".repeat(encodedChars) };
    partition.commits.noteSent(word, 1, 0);
    for (const entry of held) partition.open(entry, "new");
    measure(partition, { limits, bytesPerPartition: 1000, hasRelief });
    for (const entry of held) partition.close(entry);
  }
  const { isPressed, isFull } = partition;
  return { isPressed, isFull };
}

test.each([
  ["below every limit", true, [{ openInMemory: 99 }], false, false],
  [
    "at the limit of records, relief has room to work",
    true,
    [{ openInMemory: 100 }],
    true,
    false,
  ],
  ["beyond that room", true, [{ openInMemory: 115 }], true, true],
  [
    "without relief the limit is the end",
    false,
    [{ openInMemory: 100 }],
    true,
    true,
  ],
  [
    "pressed until relaxed",
    true,
    [{ openInMemory: 100 }, { openInMemory: 76 }],
    true,
    false,
  ],
  [
    "relaxed",
    true,
    [{ openInMemory: 100 }, { openInMemory: 74 }],
    false,
    false,
  ],
  [
    "full until relief has done its work",
    true,
    [{ openInMemory: 115 }, { openInMemory: 101 }],
    true,
    true,
  ],
  [
    "and no longer",
    true,
    [{ openInMemory: 115 }, { openInMemory: 99 }],
    true,
    false,
  ],
  [
    "without relief, full until relaxed",
    false,
    [{ openInMemory: 100 }, { openInMemory: 76 }],
    true,
    true,
  ],
  [
    "and then neither",
    false,
    [{ openInMemory: 100 }, { openInMemory: 74 }],
    false,
    false,
  ],
  [
    "bytes are a bound of memory: the room for relief lies below it",
    true,
    [{ bytes: 1000 }],
    true,
    true,
  ],
  ["bytes press earlier", true, [{ bytes: 900 }], true, false],
  [
    "the metadata's length counts, too",
    true,
    [{ encodedChars: 1000 }],
    true,
    false,
  ],
])("%s", (_name, hasRelief, states, isPressed, isFull) => {
  expect(after(hasRelief, ...states)).toEqual({ isPressed, isFull });
});
