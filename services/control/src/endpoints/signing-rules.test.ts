import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { changedEndpoint } from "./endpoint.ts";
import { requireSignable } from "./signing-rules.ts";

const HEX = anEndpoint({ signing: ["standard", "hmac-hex"] });

test("an endpoint whose secret does not open, as its key is lost, takes a change of something else", () => {
  const after = changedEndpoint(HEX, { timeoutMs: 5_000 }, HEX.updatedAt);

  expect(() => requireSignable(after, () => undefined)).not.toThrow();
});

test("hmac-hex is refused where the newest secret is an ed25519 key", () => {
  expect(() => requireSignable(HEX, () => "whpk_AAAA")).toThrow(/ed25519/);
});
