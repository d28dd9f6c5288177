import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { objectAt, objectsOf, skipSpace, textOf } from "./json-spans.ts";

const bytesOf = (text: string) => Buffer.from(text, "utf8");

/** What our reader says: whether the bytes are one object and nothing else. */
function isObject(bytes: Uint8Array): boolean {
  const object = objectAt(bytes, 0);
  return object !== null && skipSpace(bytes, object.end) === bytes.length;
}

/** What the platform says. */
function isObjectByPlatform(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", {
      fatal: true,
      ignoreBOM: true,
    }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** JSON in any spelling of its values. */
const value = fc.oneof(
  fc.json(),
  fc.constantFrom(
    ..."0|-0|1.0|-1.50E+3|1e-2|12345678901234567890|true|false|null|[]|{}".split(
      "|",
    ),
  ),
  fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  fc
    .array(
      fc.constantFrom('\\"', "\\\\", "\\/", "\\b", "\\u00fC", "\\ud800", "ü"),
    )
    .map((parts) => `"${parts.join("")}"`),
);
const space = fc.constantFrom("", " ", "\n\t", "\r\n ");
const text = fc
  .tuple(fc.array(fc.tuple(fc.string(), value), { maxLength: 4 }), space, space)
  .map(([members, before, after]) => {
    const written = members.map(
      ([key, one]) =>
        `${before}${JSON.stringify(key)}${after}:${before}${one}${after}`,
    );
    return `${before}{${written.join(",")}${after}}${after}`;
  });

test("an object is read if, and only if, the platform reads it", () => {
  fc.assert(
    fc.property(text, (given) => {
      const bytes = bytesOf(given);

      expect(isObject(bytes)).toBe(isObjectByPlatform(bytes));
      expect(isObject(bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("the same holds for an object of which some bytes were changed, lost or added", () => {
  const special = fc.constantFrom(...'{}[]",:\\u0123eE+-. \t\n\u0001tfn/');
  const byte = fc.oneof(
    special.map((letter) => letter.charCodeAt(0)),
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x90, 0xa0, 0xbf),
  );
  fc.assert(
    fc.property(
      text,
      fc.array(fc.tuple(fc.nat(), fc.nat(2), byte), { maxLength: 3 }),
      (given, changes) => {
        const bytes = [...bytesOf(given)];
        for (const [at, lost, added] of changes)
          bytes.splice(at % (bytes.length + 1), lost, added);
        const changed = Uint8Array.from(bytes);

        expect(isObject(changed)).toBe(isObjectByPlatform(changed));
      },
    ),
    { numRuns: 5_000 },
  );
});

test("a string has every character of UTF-8 and no other bytes", () => {
  const opened = [...bytesOf('{"":"')];
  const closed = [...bytesOf('"}')];
  const check = (...inside: number[]): void => {
    const bytes = Uint8Array.from([...opened, ...inside, ...closed]);
    expect([inside, isObject(bytes)]).toEqual([
      inside,
      isObjectByPlatform(bytes),
    ]);
  };

  for (let first = 0; first < 256; first++) {
    check(first);
    for (const second of [
      0x00, 0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
    ]) {
      check(first, second);
      check(first, second, 0x80);
      check(first, second, 0xbf, 0x80);
      check(first, second, 0x80, 0xc0);
    }
  }
});

test("what is very deep does not end the stack", () => {
  const deep = `${"[".repeat(300_000)}${"]".repeat(300_000)}`;

  expect(isObject(bytesOf(`{"a":${deep}}`))).toBe(true);
  expect(isObject(bytesOf(`{"a":${deep}]}`))).toBe(false);
});

test("members and elements are where their values are", () => {
  const bytes = bytesOf(` {"a" : [1, {"b":2} ,"ü",{ }],"k\\u0065y":-1.5 }x`);

  const object = objectAt(bytes, 0)!;
  const spans = object.members.map(({ key, value: { start, end } }) => [
    key,
    bytes.toString("utf8", start, end),
  ]);
  const elementsUpTo = (most: number) =>
    objectsOf(bytes, object.members[0]!.value.start, most)?.map(
      (members) =>
        members?.map(({ value: { start, end } }) =>
          bytes.toString("utf8", start, end),
        ) ?? null,
    );

  expect(spans).toEqual([
    ["a", `[1, {"b":2} ,"ü",{ }]`],
    ["key", "-1.5"],
  ]);
  expect(elementsUpTo(Infinity)).toEqual([null, ["2"], null, []]);
  expect(elementsUpTo(2)).toEqual([null, ["2"]]);
  expect(bytes.toString("utf8", object.end)).toBe("x");
  expect(objectAt(bytesOf("[]"), 0)).toBeNull();
  expect(objectsOf(bytesOf("{}"), 0, Infinity)).toBeNull();
  expect(objectsOf(bytesOf(`[{"a":01}]`), 0, Infinity)).toBeNull();
});

test("the text of a string is what the platform makes of it, however long and however spelled", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 40 }),
        fc.string({ unit: "grapheme", maxLength: 40 }),
        fc.constantFrom("", "\ufeff", "\ufeffid", "\u007f", "\ud800"),
      ),
      (given) => {
        const bytes = bytesOf(` ${JSON.stringify(given)}`);

        expect(textOf(bytes, 1, bytes.length)).toBe(given);
      },
    ),
    { numRuns: 1_000 },
  );
});
