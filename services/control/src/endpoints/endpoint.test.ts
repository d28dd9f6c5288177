import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { REDACTED } from "./endpoint-input.ts";
import { changedEndpoint, viewOf } from "./endpoint.ts";

test("headers sent back as they were shown keep their secret values, also under names such as `constructor`", () => {
  const endpoint = anEndpoint({
    headers: { "x-auth": "hush", "x-team": "a", constructor: "b" },
  });

  const shown = viewOf(endpoint).headers;
  const changed = changedEndpoint(
    endpoint,
    { headers: { ...shown, toString: REDACTED } },
    endpoint.updatedAt,
  );

  expect(shown).toEqual({
    "x-auth": REDACTED,
    "x-team": "a",
    constructor: "b",
  });
  expect(changed.headers).toEqual({
    "x-auth": "hush",
    "x-team": "a",
    constructor: "b",
    toString: REDACTED,
  });
});

test("a secret header that comes back in another case keeps its value", () => {
  const endpoint = anEndpoint({
    headers: { Authorization: "Bearer hush", "x-api-key": "hush" },
  });

  const changed = changedEndpoint(
    endpoint,
    { headers: { authorization: REDACTED, "X-API-Key": REDACTED } },
    endpoint.updatedAt,
  );

  expect(changed.headers).toEqual({
    authorization: "Bearer hush",
    "X-API-Key": "hush",
  });
});
