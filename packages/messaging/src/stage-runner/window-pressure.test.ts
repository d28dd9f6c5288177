import { expect, test } from "@jest/globals";
import { OwnedPartition } from "../offsets/owned-partition.ts";
import { RUNNER_LIMITS } from "./runner-limits.ts";
import { measure } from "./window-pressure.ts";

const limits = {
  ...RUNNER_LIMITS,
  maxOpenPerPartition: 100,
  metadataPressureChars: 1000,
};

/** What the partition is after it has held each of these in turn. */
function after(
  hasRelief: boolean,
  ...held: readonly Partial<
    Pick<OwnedPartition, "held" | "bytes" | "encodedChars">
  >[]
) {
  const partition = new OwnedPartition({ topic: "t", partition: 0 });
  for (const state of held) {
    Object.assign(partition, { held: 0, bytes: 0, encodedChars: 0, ...state });
    measure(partition, { limits, bytesPerPartition: 1000, hasRelief });
  }
  const { isPressed, isFull } = partition;
  return { isPressed, isFull };
}

test.each([
  ["below every limit", true, [{ held: 99 }], false, false],
  [
    "at the limit of records, relief has room to work",
    true,
    [{ held: 100 }],
    true,
    false,
  ],
  ["beyond that room", true, [{ held: 115 }], true, true],
  ["without relief the limit is the end", false, [{ held: 100 }], true, true],
  ["pressed until relaxed", true, [{ held: 100 }, { held: 76 }], true, false],
  ["relaxed", true, [{ held: 100 }, { held: 74 }], false, false],
  [
    "full until relief has done its work",
    true,
    [{ held: 115 }, { held: 101 }],
    true,
    true,
  ],
  ["and no longer", true, [{ held: 115 }, { held: 99 }], true, false],
  [
    "without relief, full until relaxed",
    false,
    [{ held: 100 }, { held: 76 }],
    true,
    true,
  ],
  ["and then neither", false, [{ held: 100 }, { held: 74 }], false, false],
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
])("%s", (_name, hasRelief, held, isPressed, isFull) => {
  expect(after(hasRelief, ...held)).toEqual({ isPressed, isFull });
});
