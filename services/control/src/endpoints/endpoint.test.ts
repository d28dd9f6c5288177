import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { REDACTED } from "./endpoint-input.ts";
import { changedEndpoint, viewOf } from "./endpoint.ts";

test("what is shown and sent back keeps its secret values, and is a map of texts whatever the names are", () => {
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
