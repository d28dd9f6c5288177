import { expect, test } from "@jest/globals";
import { isSecretHeader, redactedHeaders } from "./secret-header.ts";

test.each([
  "Authorization",
  "proxy-authenticate",
  "X-Auth",
  "set-cookie",
  "x-api-key",
  "X-ApiKey",
  "x-csrf-token",
  "client-secret",
  "x-password",
  "x-credential",
  "x-session-id",
  "x-hub-signature",
])("the value of %s is not shown", (name) => {
  expect(isSecretHeader(name)).toBe(true);
});

test.each(["content-type", "retry-after", "x-request-id", "date", "server"])(
  "the value of %s is",
  (name) => {
    expect(isSecretHeader(name)).toBe(false);
  },
);

test("headers are kept with the values of secret ones redacted", () => {
  const kept = redactedHeaders({
    Authorization: "Bearer hush",
    "X-Api-Key": "hush",
    "x-team": "orders",
  });

  expect(kept).toEqual({
    Authorization: "[redacted]",
    "X-Api-Key": "[redacted]",
    "x-team": "orders",
  });
});
