import { expect, test } from "@jest/globals";
import type { KafkaMessage } from "kafkajs";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import { rawRecord } from "./fetched-records.ts";
import type { DeadLetter } from "@postrider/core";

/** What kafkajs 2.2.4 makes of a record's headers, in its own words. */
function collected(
  headers: readonly (readonly [string, Buffer | null])[],
): KafkaMessage["headers"] {
  type Loose = Record<string, unknown>;
  return headers.reduce<Loose>(
    (obj, [key, value]) => ({
      ...obj,
      [key]:
        obj[key] === undefined
          ? value
          : Array.isArray(obj[key])
            ? (obj[key] as unknown[]).concat([value])
            : [obj[key], value],
    }),
    {},
  ) as KafkaMessage["headers"];
}

function read(headers: readonly (readonly [string, Buffer | null])[]) {
  return rawRecord("t.events", 0, {
    key: null,
    value: Buffer.from("v"),
    timestamp: "0",
    attributes: 0,
    offset: "0",
    headers: collected(headers),
  } as KafkaMessage);
}

const a = Buffer.from("a");
const b = Buffer.from("b");

test.each(["__proto__", "constructor", "toString", "valueOf", "length", ""])(
  "a header that is named %p is read as any other, and others beside it",
  (name) => {
    const { headers } = read([
      [name, a],
      ["other", b],
    ]);

    expect(Object.entries(headers)).toEqual([
      [name, a],
      ["other", b],
    ]);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  },
);

test("a header without a value is an empty one", () => {
  const { headers } = read([
    ["none", null],
    ["twice", null],
    ["twice", a],
  ]);

  expect(headers).toEqual({
    none: Buffer.alloc(0),
    twice: [Buffer.alloc(0), a],
  });
});

test("a dead letter keeps every header, whatever its name", () => {
  const deadLetterOf = createDeadLetterOf({
    stage: "route",
    clock: { now: () => 0, monotonic: () => 0 } as never,
  });

  const { value } = deadLetterOf(
    read([
      ["__proto__", a],
      ["__proto__", b],
      ["constructor", a],
    ]),
    "unreadable",
    "",
  );

  expect(Object.entries((value as DeadLetter).rawHeaders)).toEqual([
    ["__proto__", a],
    ["__proto__[1]", b],
    ["constructor", a],
  ]);
});
