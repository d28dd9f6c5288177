import { expect, test } from "@jest/globals";
import { type DeadLetter, rawValueAad } from "@postrider/core";
import { RAW_VALUE_LIMIT_BYTES, type RawRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { fakeClock } from "@postrider/testkit";
import { createSealedDeadLetterOf } from "./sealed-dead-letter.ts";
import { sealRaw } from "./seal-raw.ts";

const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);

const aRecord = (bytes: number): RawRecord => ({
  topic: "t.events",
  partition: 1,
  offset: 7,
  timestamp: 0,
  key: null,
  value: Buffer.alloc(bytes, "x"),
  headers: {},
});

function opened(raw: RawRecord, sealed: ReturnType<typeof sealRaw>): number {
  const { rawKid, rawValue } = sealed;
  expect(rawValue!.length).toBeLessThanOrEqual(RAW_VALUE_LIMIT_BYTES);
  const { length } = keyRing.open(
    { kid: rawKid!, ciphertext: rawValue! },
    rawValueAad(raw),
  );
  return length;
}

test.each([
  [0, 0],
  [1_000, 1_000],
  [900_000, RAW_VALUE_LIMIT_BYTES - 28],
])(
  "of %i raw bytes %i are sealed within the limit at which dead letters are cut, and open again",
  (bytes, kept) => {
    const raw = aRecord(bytes);

    expect(opened(raw, sealRaw(raw, keyRing))).toBe(kept);
    const letter = createSealedDeadLetterOf({ keyRing, clock: fakeClock() })(
      raw,
      "too_large",
      "too large",
    ).value as DeadLetter;
    expect(opened(raw, letter)).toBe(kept);
    expect(letter.rawBytes).toBe(bytes);
  },
);
