import { describe, expect, test } from "@jest/globals";
import { sign, verify, type ToVerify } from "./index.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const signed = { id: "msg_1", timestamp: 1_700_000_000 };
const body = '{"total":12.50}';

function headersSignedBy(...secrets: string[]): Record<string, string> {
  return {
    "webhook-id": signed.id,
    "webhook-timestamp": String(signed.timestamp),
    "webhook-signature": sign({ ...signed, body: Buffer.from(body), secrets }),
  };
}

function resultOf(given: Partial<ToVerify> = {}) {
  return verify({
    headers: headersSignedBy(SECRET),
    body,
    secrets: [SECRET],
    now: signed.timestamp * 1_000,
    ...given,
  });
}

function messageOf(given: Partial<ToVerify>): string {
  const result = resultOf(given);
  return result.ok ? "" : result.message;
}

test.each([
  [["webhook-id"], "webhook-id is missing"],
  [
    ["webhook-timestamp", "webhook-signature"],
    "webhook-timestamp and webhook-signature are missing",
  ],
])("a missing header is named: %j", (names, message) => {
  const headers = headersSignedBy(SECRET);
  for (const name of names) delete headers[name];

  expect(messageOf({ headers })).toBe(message);
});

test.each([
  [301_000, "webhook-timestamp is 301 s old; the limit is 300 s"],
  [-600_000, "webhook-timestamp lies 600 s in the future"],
])("%i ms off, the message tells how far the time is off", (ageMs, message) => {
  const now = signed.timestamp * 1_000 + ageMs;

  expect(messageOf({ now })).toContain(message);
});

test("300 s before and after are accepted", () => {
  for (const ageMs of [300_000, -300_000])
    expect(resultOf({ now: signed.timestamp * 1_000 + ageMs }).ok).toBe(true);
});

test.each([
  [{ toleranceSeconds: NaN }, "toleranceSeconds is not a number"],
  [{ now: NaN }, "now is not a time"],
])(
  "a request of any age is not let through by a mistake: %j",
  (given, message) => {
    expect(() => resultOf({ now: Date.now(), ...given })).toThrow(
      new TypeError(message),
    );
  },
);

test("a body that was parsed and serialised again does not verify, and the message names this cause", () => {
  const message = messageOf({ body: JSON.stringify(JSON.parse(body)) });

  expect(message).toContain("no v1 signature matches");
  expect(message).toContain("parsed and serialised again");
});

test.each([
  [PRIVATE, SECRET, "there is no v1 signature", "whpk_"],
  [SECRET, PUBLIC, "there is no v1a signature", "whsec_"],
])(
  "when only the other version has signed, the message says so, and what checks that version (%#)",
  (signer, secret, what, hint) => {
    const message = messageOf({
      headers: headersSignedBy(signer),
      secrets: [secret],
    });

    expect(message).toContain(what);
    expect(message).toContain(hint);
  },
);

test("no message repeats anything of the request", () => {
  const headers = {
    ...headersSignedBy(SECRET),
    "webhook-id": "XXXX",
    "webhook-signature": "XXXX,XXXX",
  };

  expect(messageOf({ headers })).not.toContain("XXXX");
  expect(
    messageOf({ headers: { ...headers, "webhook-timestamp": "XXXX" } }),
  ).not.toContain("XXXX");
});

test("what was signed is not taken apart in another way, as a message of another time", () => {
  const early = { id: "msg_1", timestamp: 1_600_000_000, secrets: [SECRET] };
  const later = `${signed.timestamp}.${body}`;
  const headers = {
    "webhook-id": `${early.id}.${early.timestamp}`,
    "webhook-timestamp": String(signed.timestamp),
    "webhook-signature": sign({ ...early, body: Buffer.from(later) }),
  };

  expect(resultOf({ headers })).toMatchObject({ ok: false, failure: "bad_id" });
});

test("a body that was parsed already is refused at once, with what to do", () => {
  const parsed = JSON.parse(body) as string; // a mistake that only JavaScript allows

  expect(() => resultOf({ body: parsed })).toThrow(/take the body before/);
});

test.each([[[]], [[""]], [[undefined as unknown as string]]])(
  "without a secret nothing is verified: %j",
  (secrets) => {
    expect(() => resultOf({ secrets })).toThrow(
      expect.objectContaining({ code: "EMPTY" }),
    );
  },
);

test("the headers of a fetch Request are read, too", () => {
  expect(resultOf({ headers: new Headers(headersSignedBy(SECRET)) }).ok).toBe(
    true,
  );
});

/** Signatures that could be right by their length, but of which none is. */
const wrong = (version: "v1" | "v1a", count: number): string[] =>
  Array.from(
    { length: count },
    (_, n) =>
      `${version},${Buffer.alloc(version === "v1" ? 32 : 64, n + 1).toString("base64")}`,
  );

describe.each([
  ["v1", SECRET, SECRET],
  ["v1a", PRIVATE, PUBLIC],
] as const)("of many %s signatures", (version, signer, secret) => {
  const right = headersSignedBy(signer)["webhook-signature"] ?? "";
  const given = (...signatures: readonly string[]): Partial<ToVerify> => ({
    headers: {
      ...headersSignedBy(signer),
      "webhook-signature": signatures.join(" "),
    },
    secrets: [secret],
  });

  test("the first eight are checked", () => {
    expect(resultOf(given(...wrong(version, 7), right)).ok).toBe(true);
    expect(messageOf(given(...wrong(version, 8)))).not.toContain("first");
  });

  test("a right one behind eight wrong ones is not checked, and the message says why", () => {
    const message = messageOf(given(...wrong(version, 8), right));

    expect(message).toContain(`no ${version} signature matches`);
    expect(message).toContain("only the first 8 of a version are checked");
  });

  test("those of another version or length do not count", () => {
    const other = version === "v1" ? "v1a" : "v1";
    const short = Array<string>(20).fill(`${version},AAAA`);

    expect(resultOf(given(...wrong(other, 20), ...short, right)).ok).toBe(true);
  });
});
