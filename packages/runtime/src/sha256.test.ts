import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { sha256, sha256Text } from "./sha256.ts";

test("the hash is SHA-256 of the UTF-8 bytes", () => {
  expect(Buffer.from(sha256("abc")).toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

test("the hash as text is the same hash in base64url, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(sha256Text(text)).toBe(
        Buffer.from(sha256(text)).toString("base64url"),
      );
    }),
  );
});
