import { expect, test } from "@jest/globals";
import { REDACTED } from "@postrider/core";
import { refusedResult } from "../send/attempt-result.ts";
import { withoutEchoes } from "./echoed-secrets.ts";

const SENT = {
  authorization: "Bearer t0ken-of-the-receiver",
  "x-api-key": "another-key",
  "x-plain": "not-a-secret",
};

function kept(body: string, headers: Readonly<Record<string, string>> = {}) {
  const { responseBody, responseHeaders } = withoutEchoes(
    {
      ...refusedResult(""),
      responseBody: Buffer.from(body),
      responseHeaders: headers,
    },
    SENT,
  );
  return { body: responseBody.toString(), headers: responseHeaders };
}

test.each([
  [
    "a page of headers",
    "authorization: Bearer t0ken-of-the-receiver\nx-api-key: another-key\nx-plain: not-a-secret",
    `authorization: ${REDACTED}\nx-api-key: ${REDACTED}\nx-plain: not-a-secret`,
  ],
  [
    "the token alone, twice",
    "t0ken-of-the-receiver,t0ken-of-the-receiver.",
    `${REDACTED},${REDACTED}.`,
  ],
  ["nothing", "ok", "ok"],
  [
    "a beginning where the kept body ends",
    "you sent t0ken-of-the",
    `you sent ${REDACTED}`,
  ],
])("an answer that repeats %s is kept without the secrets", (_, body, is) => {
  expect(kept(body).body).toBe(is);
});

test("values that overlap are kept in no part", () => {
  const result = {
    ...refusedResult(""),
    responseBody: Buffer.from("abcdefgh-ijklmnop-qrstuvwx"),
  };

  const { responseBody } = withoutEchoes(
    result,
    { "x-api-key": "abcdefgh-ijklmnop" },
    { authorization: "ijklmnop-qrstuvwx" },
  );

  expect(responseBody.toString()).toBe(REDACTED);
});

test("spaces around a value, which are not sent, do not hide it", () => {
  const result = {
    ...refusedResult(""),
    responseBody: Buffer.from("<another-key>"),
  };

  const { responseBody } = withoutEchoes(result, {
    "x-api-key": " another-key ",
  });

  expect(responseBody.toString()).toBe(`<${REDACTED}>`);
});

test("an answer does not grow with the number of headers, also where a value is in what replaces another", () => {
  const headers = Object.fromEntries(
    Array.from({ length: 50 }, (_, nth) => [
      `x-key-${nth}`,
      nth === 0 ? "aaaaaaaa" : "redacted".padEnd(8 + (nth % 2), "]"),
    ]),
  );
  const responseBody = Buffer.from("aaaaaaaa.".repeat(1_820));

  const kept = withoutEchoes(
    { ...refusedResult(""), responseBody },
    headers,
    headers,
  );

  expect(kept.responseBody.length).toBeLessThan(responseBody.length * 1.25);
});

test("headers of the answer are kept without the secrets, too", () => {
  const { headers } = kept("", { "x-echo": SENT.authorization, server: "x" });

  expect(headers).toEqual({ "x-echo": REDACTED, server: "x" });
});

test("a short value is left: it would be found where it is not meant", () => {
  const result = { ...refusedResult(""), responseBody: Buffer.from("1234") };

  expect(withoutEchoes(result, { "x-api-key": "1234" }).responseBody).toEqual(
    Buffer.from("1234"),
  );
});

test("without secret headers the result is the same object", () => {
  const result = refusedResult("");

  expect(withoutEchoes(result, {}, { "x-plain": "not-a-secret" })).toBe(result);
});
