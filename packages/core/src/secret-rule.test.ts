import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { secretProblem, secretTypeOf, verifierProblem } from "./secret-rule.ts";

/** 24 bytes. */
const KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const keyOf = (bytes: number) => Buffer.alloc(bytes, "k").toString("base64");

test.each([
  `whsec_${KEY}`,
  `whsec_${keyOf(64)}`,
  `whsec_${keyOf(25)}`,
  `whsec_${keyOf(25).replaceAll("=", "")}`,
  `whsk_${keyOf(64)}`,
  `whsk_${keyOf(32)}`,
  `whsk_${keyOf(64).replaceAll("=", "")}`,
  "s",
  "a pass phrase",
  "süß",
  "sec_whs",
  "x".repeat(1_024),
])("%s is a signing secret", (secret) => {
  expect(secretProblem("secret", secret)).toBeUndefined();
});

test.each([
  ["", "required"],
  ["x".repeat(1_025), "length"],
  // pasted with something around it
  [`v1,whsec_${KEY}`, "form"],
  [`v1 whsec_${KEY}`, "form"],
  [`"whsec_${KEY}"`, "form"],
  [`WEBHOOK_SECRET=whsec_${KEY}`, "form"],
  [`WHSEC_${KEY}`, "form"],
  [`old,whsk_${KEY}`, "form"],
  [`whsec_whsec_${KEY}`, "base64"],
  [`whsec_${KEY},whsec_${KEY}`, "base64"],
  [`whsec_"${KEY}"`, "base64"],
  // white space and invisible characters
  [` whsec_${KEY}`, "space"],
  [`whsec_${KEY}\n`, "space"],
  ["hush ", "space"],
  ["\u00a0hush", "space"],
  ["\ufeffhush", "space"],
  ["hush\u200b", "space"],
  [" ", "space"],
  ["hu\nsh", "characters"],
  ["hu\u0000sh", "characters"],
  ["hu\u2028sh", "characters"],
  ["hu\ud800sh", "characters"],
  // the text after whsec_
  ["whsec_", "base64"],
  ["whsec_%%", "base64"],
  [`whsec_${KEY}A`, "base64"],
  [`whsec_${KEY}=`, "base64"],
  [`whsec_${keyOf(23)}`, "length"],
  [`whsec_${keyOf(65)}`, "length"],
  [`whsec_${KEY.replace("8", "-")}`, "base64"],
  // the text after whsk_, and a public key
  ["whsk_", "base64"],
  [`whsk_${keyOf(63)}`, "length"],
  [`whsk_${keyOf(24)}`, "length"],
  [`whsk_${keyOf(64)} `, "space"],
  [`whpk_${keyOf(32)}`, "public_key"],
  [`key=whpk_${keyOf(32)}`, "form"],
])("%j breaks the rule %s", (secret, rule) => {
  expect(secretProblem("secret", secret)).toMatchObject({
    field: "secret",
    rule,
  });
});

test("the message for a secret with something around it shows the right form", () => {
  expect(secretProblem("secret", `v1,whsec_${KEY}`)?.message).toContain(
    "such as whsec_",
  );
});

test("no message repeats any part of a secret", () => {
  const around = fc.constantFrom("", " ", "v1,", "\n", '"', "whsec_", "whsk_");
  const text = fc.stringMatching(/^[XYZ]{4,40}$/);
  fc.assert(
    fc.property(around, text, around, (before, secret, after) => {
      const problem = secretProblem("secret", before + secret + after);

      expect(problem?.message ?? "").not.toMatch(/[XYZ]{3}/);
    }),
  );
});

test("a receiver verifies with a public key of 32 bytes, or with any secret", () => {
  const ruleOf = (text: string) => verifierProblem("--secret", text)?.rule;

  expect(ruleOf(`whpk_${keyOf(32)}`)).toBeUndefined();
  expect(ruleOf(`whsec_${KEY}`)).toBeUndefined();
  expect(ruleOf(`whpk_${keyOf(33)}`)).toBe("length");
  expect(ruleOf("whpk_%")).toBe("base64");
  expect(ruleOf("")).toBe("required");
});

test("a whsk_ is an ed25519 secret, and every other is one for HMAC", () => {
  expect(secretTypeOf(`whsk_${keyOf(64)}`)).toBe("ed25519");
  expect(secretTypeOf(`whsec_${KEY}`)).toBe("hmac");
  expect(secretTypeOf("a pass phrase")).toBe("hmac");
});

test("a whsec_ of 24 to 64 bytes is a secret, padded or not, and of no other length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.boolean(), (key, bare) => {
      const base64 = Buffer.from(key).toString("base64");
      const secret = `whsec_${bare ? base64.replace(/=+$/, "") : base64}`;

      const isSecret = secretProblem("secret", secret) === undefined;

      expect(isSecret).toBe(key.length >= 24 && key.length <= 64);
    }),
  );
});
