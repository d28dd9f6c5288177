import { expect, test } from "@jest/globals";
import { aDeadLetter } from "@postrider/testkit";
import type { DeadLetter } from "@postrider/core";
import fc from "fast-check";
import { createAvroCodec } from "../schemas/avro-codec.ts";
import { readSchemaFiles } from "../schemas/schema-files.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import { UnfitValueError } from "../unfit-value-error.ts";
import { deadLettersInstead } from "./unfit.ts";

const codec = createAvroCodec({
  schemas: readSchemaFiles(),
  writers: {
    byFingerprint: () => ({ kind: "unknown" }),
    byId: () => ({ kind: "unknown" }),
  },
});

const source: RawRecord = {
  topic: "t.deliveries",
  partition: 3,
  offset: 77,
  timestamp: 1,
  key: null,
  value: Buffer.from("raw"),
  headers: {},
};

/** Dead letters in which each field may be anything. */
const garbled = fc
  .dictionary(
    fc.constantFrom(...Object.keys(aDeadLetter())),
    fc.oneof(
      fc.anything(),
      fc.constantFrom(undefined, Number.MAX_SAFE_INTEGER),
    ),
    { maxKeys: 30 },
  )
  .map((fields) => ({ ...aDeadLetter(), ...fields }) as DeadLetter);

test.each([source, undefined])(
  "whatever a dead letter holds, what is written in its place at last fits (source: %p)",
  (of) => {
    fc.assert(
      fc.property(garbled, garbled, (value, made) => {
        const record: OutRecord = { topic: "dead-letters", key: null, value };
        const unfit = new UnfitValueError(record, "step", "int");

        const last = [
          ...deadLettersInstead(unfit, {
            source: of,
            deadLetterOf: () => ({ ...record, value: made }),
            now: 1,
          }),
        ].at(-1)!;

        expect(() => codec.encode(last)).not.toThrow();
        expect([typeof last.key, last.key]).toContainEqual(
          last.key === null ? null : "string",
        );
      }),
    );
  },
);

test("a record that is not a dead letter and has no source gets no dead letter", () => {
  const record = { topic: "signals", key: null, value: {} } as OutRecord;
  const unfit = new UnfitValueError(record, "kind", "string");
  const deadLetterOf = () => record;

  expect([
    ...deadLettersInstead(unfit, { source: undefined, deadLetterOf, now: 1 }),
  ]).toEqual([]);
});
