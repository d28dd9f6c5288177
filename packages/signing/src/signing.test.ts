import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { SecretError, sign, verify } from "./index.ts";

// Standard Webhooks 1.0.0, the example of the specification's own libraries
const vector = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: Buffer.from('{"test": 2432232314}'),
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

const headersOf = (id: string, timestamp: number, signature: string) => ({
  "webhook-id": id,
  "webhook-timestamp": String(timestamp),
  "webhook-signature": signature,
});

test("the specification's example gets the specification's signature", () => {
  expect(sign({ ...vector, secrets: [vector.secret] })).toBe(vector.signature);
});

test("several secrets give several signatures, separated by spaces, in their order", () => {
  const both = sign({ ...vector, secrets: [vector.secret, "plain text"] });

  const second = sign({ ...vector, secrets: ["plain text"] });
  expect(both).toBe(`${vector.signature} ${second}`);
});

test("what is signed is verified by the standardwebhooks package", () => {
  const timestamp = Math.floor(Date.now() / 1000);
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.json(),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      (id, text, key) => {
        const secret = `whsec_${Buffer.from(key).toString("base64")}`;
        const body = Buffer.from(text);

        const signature = sign({ id, timestamp, body, secrets: [secret] });

        const headers = headersOf(id, timestamp, signature);
        expect(() =>
          new Webhook(secret).verify(body.toString(), headers),
        ).not.toThrow();
      },
    ),
    { numRuns: 50 },
  );
});

test("what the standardwebhooks package signs is verified", () => {
  const at = new Date(vector.timestamp * 1000);
  const signature = new Webhook(vector.secret).sign(
    vector.id,
    at,
    vector.body.toString(),
  );

  const result = verify({
    headers: headersOf(vector.id, vector.timestamp, signature),
    body: vector.body,
    secrets: [vector.secret],
    now: at.getTime(),
  });

  expect(result).toEqual({
    ok: true,
    id: vector.id,
    timestamp: vector.timestamp,
  });
});

test("any of the signatures may match any of the secrets, and other versions are ignored", () => {
  const result = verify({
    headers: headersOf(
      vector.id,
      vector.timestamp,
      `v1a,AAAA v2,x ${vector.signature}`,
    ),
    body: vector.body.toString(),
    secrets: ["another", vector.secret],
    now: vector.timestamp * 1000,
  });

  expect(result.ok).toBe(true);
});

test("header names are read in any case, and a repeated header by its first value", () => {
  const result = verify({
    headers: {
      "Webhook-Id": vector.id,
      "Webhook-Timestamp": [String(vector.timestamp)],
      "Webhook-Signature": vector.signature,
    },
    body: vector.body,
    secrets: [vector.secret],
    now: vector.timestamp * 1000,
  });

  expect(result.ok).toBe(true);
});

const good = headersOf(vector.id, vector.timestamp, vector.signature);
test.each([
  ["no_match", { ...good, "webhook-id": "msg_other" }, 0],
  ["no_match", { ...good, "webhook-signature": "v1," }, 0],
  ["no_match", { ...good, "webhook-signature": "v1,AAAA" }, 0],
  ["no_match", { ...good, "webhook-signature": vector.signature.slice(3) }, 0],
  ["missing_header", { ...good, "webhook-signature": undefined }, 0],
  ["missing_header", { ...good, "webhook-id": "" }, 0],
  ["bad_timestamp", { ...good, "webhook-timestamp": "1614265330.5" }, 0],
  ["bad_timestamp", { ...good, "webhook-timestamp": "-1" }, 0],
  ["too_old", good, 301],
  ["too_new", good, -301],
] as const)("a webhook is refused: %s (%#)", (failure, headers, ageSeconds) => {
  const result = verify({
    headers,
    body: vector.body,
    secrets: [vector.secret],
    now: (vector.timestamp + ageSeconds) * 1000,
  });

  expect(result).toMatchObject({ ok: false, failure });
});

test("one changed byte of the body is noticed", () => {
  fc.assert(
    fc.property(
      fc.nat(vector.body.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, flip) => {
        const body = Uint8Array.from(vector.body);
        body[at] = (body[at] ?? 0) ^ flip;

        const result = verify({
          headers: good,
          body,
          secrets: [vector.secret],
          now: vector.timestamp * 1000,
        });

        expect(result.ok).toBe(false);
      },
    ),
  );
});

test.each([
  ["", "EMPTY"],
  ["whsec_", "BAD_BASE64"],
  ["whsec_not base64!", "BAD_BASE64"],
  ["whsec_AAAAA", "BAD_BASE64"],
  ["whsk_6Xb/dCcHpPea21PS1N9VY", "BAD_BASE64"],
  ["whsk_6Xb/dCcHpPea21PS1N9VYw==", "BAD_KEY"],
  ["whpk_6Xb/dCcHpPea21PS1N9VYw==", "BAD_KEY"],
  ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "UNSUPPORTED"],
])(
  "the secret %j is refused, and not repeated in the error",
  (secret, code) => {
    const attempt = () => sign({ ...vector, secrets: [secret] });

    expect(attempt).toThrow(SecretError);
    expect(attempt).toThrow(expect.objectContaining({ code }));
    if (secret.length > 6)
      expect(attempt).not.toThrow(
        expect.objectContaining({ message: expect.stringContaining(secret) }),
      );
  },
);

test("a secret without the prefix whsec_ signs with its UTF-8 bytes", () => {
  const secret = "süß";
  const base64 = `whsec_${Buffer.from(secret, "utf8").toString("base64")}`;

  const [asText, asBytes] = [secret, base64].map((one) =>
    sign({ ...vector, secrets: [one] }),
  );

  expect(asText).toBe(asBytes);
});
