import { expect, test } from "@jest/globals";
import { REDACTED } from "@postrider/core";
import { anEndpoint, aSealedSecret, BUILT_AT } from "@postrider/testkit";
import { changedEndpoint, viewOf } from "./endpoint.ts";

test("headers sent back as they were shown keep their secret values, also under names such as `constructor`", () => {
  const endpoint = anEndpoint({
    headers: { "x-auth": "hush", "x-team": "a", constructor: "b" },
  });

  const shown = viewOf(endpoint, () => null).headers;
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

test("a change to `[redacted]` is refused where no value is stored under that name", () => {
  const endpoint = anEndpoint({ headers: { "x-api-key": "hush" } });
  const rename = (): unknown =>
    changedEndpoint(endpoint, { headers: { "x-api-token": REDACTED } }, 0);

  expect(rename).toThrow(/headers\.x-api-token: .*none is stored/);
});

test("headers are as large as what `[redacted]` stands for", () => {
  const endpoint = anEndpoint({ headers: { "x-key-1": "a".repeat(8_000) } });
  const headers = { "x-key-1": REDACTED, "x-key-2": "b".repeat(8_000) };

  expect(() => changedEndpoint(endpoint, { headers }, 0)).toThrow(
    /headers: at most 50 headers and 8192 characters/,
  );
});

test("every change removes the secrets that have expired, and no other", () => {
  const endpoint = anEndpoint({
    secrets: [
      aSealedSecret({ id: "sec_1", expiresAt: BUILT_AT + 1 }),
      aSealedSecret({ id: "sec_2", expiresAt: BUILT_AT + 2 }),
      aSealedSecret({ id: "sec_3" }),
    ],
  });

  const changed = changedEndpoint(endpoint, { description: "x" }, BUILT_AT + 1);

  expect(changed.secrets.map(({ id }) => id)).toEqual(["sec_2", "sec_3"]);
});

test("a change that names the state which holds already keeps that state's reason", () => {
  const endpoint = anEndpoint({ state: "disabled", stateReason: "gone: 410" });

  const same = changedEndpoint(endpoint, { state: "disabled" }, BUILT_AT);
  const paused = changedEndpoint(endpoint, { state: "paused" }, BUILT_AT);

  expect(same.stateReason).toBe("gone: 410");
  expect(paused.stateReason).toBe("by hand");
});
