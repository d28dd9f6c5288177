import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  createKeyRing,
  KeyRingError,
  parseEncryptionKeys,
} from "./key-ring.ts";

const old = { kid: "k1", key: Buffer.alloc(32, 1) };
const fresh = { kid: "k2", key: Buffer.alloc(32, 2) };

test("a sealed secret opens with the same owner and gives the same bytes", () => {
  const ring = createKeyRing([fresh]);

  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (plain, aad) => {
      expect(ring.open(ring.seal(plain, aad), aad)).toEqual(Buffer.from(plain));
    }),
  );
});

test("the newest key seals, and the old one still opens", () => {
  const sealedBefore = createKeyRing([old]).seal(Buffer.from("s"), "a");
  const ring = createKeyRing([fresh, old]);

  expect(ring.seal(Buffer.from("s"), "a").kid).toBe("k2");
  expect(ring.open(sealedBefore, "a").toString()).toBe("s");
});

test("two seals of one text differ, and each is 28 bytes longer than it", () => {
  const ring = createKeyRing([fresh]);

  const [one, two] = [1, 2].map(() => ring.seal(Buffer.from("same"), "a"));

  expect(one?.ciphertext).not.toEqual(two?.ciphertext);
  expect(one?.ciphertext.length).toBe(4 + 28);
});

test("another owner's secret does not open", () => {
  const ring = createKeyRing([fresh]);

  const sealed = ring.seal(Buffer.from("s"), "acme:ep_1:sec_1");

  expect(codeOf(() => ring.open(sealed, "acme:ep_2:sec_1"))).toBe(
    "NOT_AUTHENTIC",
  );
});

test("any changed or missing byte is noticed", () => {
  const ring = createKeyRing([fresh]);
  const { kid, ciphertext } = ring.seal(Buffer.from("secret"), "a");

  for (let index = 0; index < ciphertext.length; index += 1) {
    const changed = Buffer.from(ciphertext);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(codeOf(() => ring.open({ kid, ciphertext: changed }, "a"))).toBe(
      "NOT_AUTHENTIC",
    );
    const cut = ciphertext.subarray(0, index);
    expect(codeOf(() => ring.open({ kid, ciphertext: cut }, "a"))).toBe(
      "NOT_AUTHENTIC",
    );
  }
});

test("a key that the ring does not have is named", () => {
  const sealed = createKeyRing([old]).seal(Buffer.from("s"), "a");

  expect(() => createKeyRing([fresh]).open(sealed, "a")).toThrow(
    "sealed with key k1; the ring has k2",
  );
});

test.each([
  ["", /key 1 is not of the form id:base64/],
  ["k1", /key 1 is not of the form/],
  [
    `k1:${old.key.toString("base64")},k2:abc`,
    /key 2 \(k2\) has 2 bytes, not 32/,
  ],
  [
    `k1:${old.key.toString("base64")},k1:${fresh.key.toString("base64")}`,
    /key k1 is there twice/,
  ],
])("keys %j are refused with what is wrong", (text, message) => {
  expect(() => parseEncryptionKeys(text)).toThrow(message);
});

test("keys are read in their order, newest first", () => {
  const text = [fresh, old]
    .map(({ kid, key }) => `${kid}:${key.toString("base64")}`)
    .join(", ");

  expect(parseEncryptionKeys(text)).toEqual([fresh, old]);
});

function codeOf(open: () => unknown): string | undefined {
  try {
    open();
  } catch (error) {
    if (error instanceof KeyRingError) return error.code;
    throw error;
  }
  return undefined;
}
