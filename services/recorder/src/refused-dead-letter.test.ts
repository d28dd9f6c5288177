import { expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import type { DeadLetter } from "@postrider/core";
import { rawValueAad } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { createRefusedDeadLetterOf } from "./refused-dead-letter.ts";

const raw: RawRecord = {
  topic: "p.attempts",
  partition: 1,
  offset: 7,
  timestamp: 5,
  key: Buffer.from("k"),
  value: Buffer.from("whsec_secret"),
  headers: {},
};
const keyRing = createKeyRing([{ kid: "k1", key: randomBytes(32) }]);

test("bytes that could not be read are sealed and can be opened again", () => {
  const { value } = createRefusedDeadLetterOf(keyRing)(
    raw,
    { reason: "unreadable", detail: "no" },
    99,
  );

  const letter = value as DeadLetter;
  expect(letter).toMatchObject({
    reason: "unreadable",
    stage: "record",
    deadAt: 99,
    recordOffset: 7,
    rawKid: "k1",
    rawBytes: 12,
  });
  const opened = keyRing.open(
    { kid: "k1", ciphertext: Buffer.from(letter.rawValue!) },
    rawValueAad(raw),
  );
  expect(opened.toString()).toBe("whsec_secret");
});

test("a record that could be read, and only its row was refused, is kept unsealed", () => {
  const { value } = createRefusedDeadLetterOf(keyRing)(
    raw,
    { reason: "row_refused", detail: "no" },
    99,
  );

  expect(value).toMatchObject({ rawKid: null, rawValue: raw.value });
});
