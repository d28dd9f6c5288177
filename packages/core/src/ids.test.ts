import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  deliveryIdOf,
  eventIdOfKey,
  inlineEndpointId,
  inlineSecretId,
  secretAad,
  webhookIdOf,
} from "./index.ts";

const sha256 = (text: string) =>
  createHash("sha256").update(text).digest("base64url");

const key = {
  tenantId: "acme",
  eventId: "evt.1",
  endpointId: "ep_1",
  replayId: null,
};

test("a delivery's id depends on tenant, event, endpoint and replay, and on nothing else", () => {
  const id = deliveryIdOf(sha256, key);
  const others = [
    { ...key, tenantId: "acme2" },
    { ...key, eventId: "evt.2" },
    { ...key, endpointId: "ep_2" },
    { ...key, replayId: "rp_1" },
  ].map((other) => deliveryIdOf(sha256, other));

  expect(id).toMatch(/^dlv_[A-Za-z0-9_-]{24}$/);
  expect(deliveryIdOf(sha256, { ...key })).toBe(id);
  expect(new Set([id, ...others]).size).toBe(5);
});

test("the webhook id is the same whatever the replay, and has no dot", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (eventId, endpointId) => {
      const id = webhookIdOf(sha256, { ...key, eventId, endpointId });

      expect(id).toMatch(/^msg_[A-Za-z0-9_-]{24}$/);
    }),
  );
});

test("moving letters from one part to the next changes the id", () => {
  const one = { ...key, tenantId: "a", eventId: "bc" };
  const two = { ...key, tenantId: "ab", eventId: "c" };

  expect(deliveryIdOf(sha256, one)).not.toBe(deliveryIdOf(sha256, two));
});

test("an inline endpoint is one per tenant and origin, whatever the path and spelling", () => {
  const id = inlineEndpointId(sha256, "acme", "https://example.com/a?b");

  expect(id).toMatch(/^inline_[A-Za-z0-9_-]{24}$/);
  expect(inlineEndpointId(sha256, "acme", "HTTPS://EXAMPLE.com:443/c")).toBe(
    id,
  );
  expect(inlineEndpointId(sha256, "other", "https://example.com/a")).not.toBe(
    id,
  );
  expect(inlineEndpointId(sha256, "acme", "https://example.com:444/")).not.toBe(
    id,
  );
  expect(inlineEndpointId(sha256, "acme", "http://example.com/")).not.toBe(id);
});

test("an id is its prefix and the first 18 bytes of the hash of prefix and parts, in base64url", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" }), { minLength: 3, maxLength: 3 }),
      ([tenantId = "", eventId = "", endpointId = ""]) => {
        const text = `msg_\n${tenantId}\n${eventId}\n${endpointId}`;
        const bytes = createHash("sha256").update(text).digest();

        expect(webhookIdOf(sha256, { tenantId, eventId, endpointId })).toBe(
          `msg_${bytes.subarray(0, 18).toString("base64url")}`,
        );
      },
    ),
  );
});

test("ids stay the same from version to version", () => {
  expect([
    deliveryIdOf(sha256, key),
    webhookIdOf(sha256, key),
    inlineEndpointId(sha256, "acme", "https://example.com/"),
    eventIdOfKey(sha256, "acme", "k"),
    inlineSecretId(sha256, "acme", "evt.1"),
    secretAad("acme", "ep_1", "sec_1"),
  ]).toMatchInlineSnapshot(`
   [
     "dlv_4YGC3e-NfhOsYeOxqAJlQZpn",
     "msg_izYl4xqhZO-47ajxTLG9zQHZ",
     "inline_x6Acp_cniB1mWfFQyjh3mjL0",
     "evt_gYN7BoT--q0JxWj4HMjLCFgT",
     "sec_u1gdIzf1uo3i3-zUFzeHESBf",
     "acme/ep_1/sec_1",
   ]
  `);
});
