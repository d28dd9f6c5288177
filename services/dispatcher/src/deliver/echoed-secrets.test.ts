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
    "t0ken-of-the-receivert0ken-of-the-receiver.",
    `${REDACTED}${REDACTED}.`,
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
