import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { publicKeyOf, sign, signHmacHex, verify } from "./index.ts";

// the asymmetric example of Standard Webhooks 1.0.0
const vector = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: Buffer.from('{"test": 2432232314}'),
  secret:
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  publicKey: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
  signature:
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
};
const HMAC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const verifyVector = (
  signature: string,
  secrets: readonly string[],
  body: Uint8Array | string = vector.body,
) =>
  verify({
    headers: {
      "webhook-id": vector.id,
      "webhook-timestamp": String(vector.timestamp),
      "webhook-signature": signature,
    },
    body,
    secrets,
    now: vector.timestamp * 1_000,
  });

test("the specification's ed25519 example gets the specification's signature", () => {
  expect(sign({ ...vector, secrets: [vector.secret] })).toBe(vector.signature);
});

test("a v1a signature is verified with the public key, and with the secret that made it", () => {
  expect(verifyVector(vector.signature, [vector.publicKey]).ok).toBe(true);
  expect(verifyVector(vector.signature, [vector.secret]).ok).toBe(true);
});

test("the seed alone is the same key as the seed with its public key", () => {
  const pair = Buffer.from(vector.secret.slice("whsk_".length), "base64");
  const seed = `whsk_${pair.subarray(0, 32).toString("base64")}`;

  expect(sign({ ...vector, secrets: [seed] })).toBe(vector.signature);
  expect(publicKeyOf(seed)).toBe(vector.publicKey);
});

test("the public key of a secret is that of its key pair, and an HMAC secret has none", () => {
  expect(publicKeyOf(vector.secret)).toBe(vector.publicKey);
  expect(publicKeyOf(HMAC_SECRET)).toBeNull();
});

test("a whsk_ whose halves are of two pairs is refused", () => {
  const pair = Buffer.from(vector.secret.slice("whsk_".length), "base64");
  pair.writeUInt8(pair.readUInt8(63) ^ 1, 63);
  const broken = `whsk_${pair.toString("base64")}`;

  expect(() => publicKeyOf(broken)).toThrow(
    expect.objectContaining({ code: "BAD_KEY" }),
  );
});

test("secrets of both kinds sign in one header, and each verifies alone", () => {
  const secrets = [HMAC_SECRET, vector.secret];

  const signature = sign({ ...vector, secrets });

  expect(signature.split(" ").map((one) => one.split(",")[0])).toEqual([
    "v1",
    "v1a",
  ]);
  expect(verifyVector(signature, [HMAC_SECRET]).ok).toBe(true);
  expect(verifyVector(signature, [vector.publicKey]).ok).toBe(true);
});

test("one changed byte of the body, or of the signature, is noticed", () => {
  const bytes = Buffer.from(vector.signature.slice("v1a,".length), "base64");
  fc.assert(
    fc.property(
      fc.nat(63),
      fc.nat(vector.body.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (inSignature, inBody, flip) => {
        const signature = Buffer.from(bytes);
        signature[inSignature] = (signature[inSignature] ?? 0) ^ flip;
        const body = Uint8Array.from(vector.body);
        body[inBody] = (body[inBody] ?? 0) ^ flip;
        const text = `v1a,${signature.toString("base64")}`;

        expect(verifyVector(text, [vector.publicKey]).ok).toBe(false);
        expect(
          verifyVector(vector.signature, [vector.publicKey], body).ok,
        ).toBe(false);
      },
    ),
    { numRuns: 50 },
  );
});

test.each(["v1a,", "v1a,AAAA", `v1a,${"A".repeat(400)}`, "v1a"])(
  "%s is no signature",
  (signature) => {
    expect(verifyVector(signature, [vector.publicKey])).toMatchObject({
      ok: false,
      failure: "no_match",
    });
  },
);

test("a public key, which everybody knows, is never used as an HMAC secret", () => {
  const { publicKey } = vector;
  const bytes = Buffer.from(publicKey.slice("whpk_".length), "base64");
  const forged = sign({
    ...vector,
    secrets: [`whsec_${bytes.toString("base64")}`],
  });

  expect(verifyVector(forged, [publicKey]).ok).toBe(false);
  expect(verifyVector(forged.replace("v1,", "v1a,"), [publicKey]).ok).toBe(
    false,
  );
});

test("any key pair signs what its public key verifies", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [seed, bytes] = [d, x].map((each) => Buffer.from(each, "base64url"));
  const secret = `whsk_${Buffer.concat([seed!, bytes!]).toString("base64")}`;

  const signature = sign({ ...vector, secrets: [secret] });

  expect(publicKeyOf(secret)).toBe(`whpk_${bytes!.toString("base64")}`);
  expect(verifyVector(signature, [publicKeyOf(secret) ?? ""]).ok).toBe(true);
});

test("hmac-hex is over the body alone, with the same key bytes as v1, and an ed25519 key makes none", () => {
  // printf '%s' '{"test": 2432232314}' | openssl dgst -sha256 -hmac 'it is a secret'
  expect(signHmacHex(vector.body, "it is a secret")).toBe(
    "sha256=8e21bd2bda1987305554a8d4c6d353ea831dcc0bcb46084d53b1a0cb5aff8a2c",
  );
  const key = Buffer.from("it is a secret").toString("base64");
  expect(signHmacHex(vector.body, `whsec_${key}`)).toBe(
    signHmacHex(vector.body, "it is a secret"),
  );
  expect(() => signHmacHex(vector.body, vector.secret)).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED" }),
  );
});
