import { expect, test } from "@jest/globals";
import type { Endpoint } from "@postrider/core";
import { anEndpoint, aSealedSecret, BUILT_AT } from "@postrider/testkit";
import { ownCause } from "../audit/cause.ts";
import { endpointFact } from "./endpoint-fact.ts";

const CAUSE = { actor: "key_1", why: "ticket 7", requestId: "req-7" };
const BEFORE = anEndpoint();

function changedTo(fields: Partial<Endpoint>, before: Endpoint = BEFORE) {
  return endpointFact({ before, after: { ...before, ...fields } }, CAUSE);
}

test("a change names each field that changed, from what and to what, and who asked", () => {
  const fact = changedTo({
    timeoutMs: 5_000,
    eventTypes: ["order.*"],
    rateLimit: { perSecond: 5, burst: 10 },
    version: 2,
    updatedAt: BUILT_AT + 1,
  });

  expect(fact).toEqual({
    ...CAUSE,
    tenantId: BEFORE.tenantId,
    subject: "endpoint",
    subjectId: BEFORE.id,
    action: "changed",
    detail: {
      timeoutMs: { from: BEFORE.timeoutMs, to: 5_000 },
      eventTypes: { from: BEFORE.eventTypes, to: ["order.*"] },
      rateLimit: { from: undefined, to: { perSecond: 5, burst: 10 } },
      version: { from: 1, to: 2 },
    },
  });
});

test.each<[string, string, Partial<Endpoint>]>([
  ["enabled", "paused", { state: "paused", stateReason: "by hand" }],
  ["enabled", "disabled", { state: "disabled", stateReason: "gone" }],
  ["paused", "resumed", { state: "enabled", stateReason: null }],
  ["disabled", "enabled", { state: "enabled", stateReason: null }],
  ["paused", "disabled", { state: "disabled", url: "https://b.example/" }],
  ["paused", "changed", { stateReason: "another reason" }],
])("an endpoint that was %s is %s", (state, action, fields) => {
  const before = anEndpoint({ state, stateReason: "before" });

  expect(changedTo(fields, before).action).toBe(action);
});

test("a new endpoint has what it was given, a deleted one what it had", () => {
  const made = endpointFact({ before: null, after: BEFORE }, CAUSE);
  const gone = endpointFact({ before: BEFORE, after: null }, ownCause("why"));

  expect(made).toMatchObject({
    action: "created",
    detail: { url: { to: BEFORE.url }, state: { to: "enabled" } },
  });
  expect(made.detail).not.toHaveProperty("rateLimit");
  expect(gone).toMatchObject({
    actor: "postrider",
    requestId: "",
    action: "deleted",
    detail: { url: { from: BEFORE.url } },
  });
});

test("a rotation names the secrets by their ids and ends, and nothing else of them", () => {
  const old = aSealedSecret({ id: "sec_1", ciphertext: Buffer.from("sealed") });
  const added = aSealedSecret({ id: "sec_2", ciphertext: Buffer.from("new") });
  const before = anEndpoint({ secrets: [old] });

  const fact = changedTo(
    { secrets: [{ ...old, expiresAt: BUILT_AT }, added] },
    before,
  );

  expect(fact.action).toBe("secret_rotated");
  expect(fact.detail).toEqual({
    secrets: {
      from: [{ id: "sec_1", expiresAt: null }],
      to: [
        { id: "sec_1", expiresAt: new Date(BUILT_AT).toISOString() },
        { id: "sec_2", expiresAt: null },
      ],
    },
  });
});

test("headers are told by their names: which were there, which are, and which have another value", () => {
  const before = anEndpoint({
    headers: { authorization: "Bearer hush", "x-team": "a", "x-old": "1" },
  });

  const fact = changedTo(
    { headers: { authorization: "Bearer hush2", "x-team": "a", "x-new": "2" } },
    before,
  );

  expect(fact.detail).toEqual({
    headers: {
      from: ["authorization", "x-team", "x-old"],
      to: ["authorization", "x-team", "x-new"],
      changed: ["authorization"],
    },
  });
  expect(JSON.stringify(fact)).not.toContain("hush");
});

test("a header that did not open and is replaced is a change, and one that another key seals now is a re-encryption", () => {
  const sealed = (kid: string) => ({ kid, ciphertext: new Uint8Array([1]) });
  const before = anEndpoint({ sealedHeaders: { "x-key": sealed("k1") } });

  const replaced = changedTo(
    { headers: { "x-key": "hush" }, sealedHeaders: {} },
    before,
  );
  const anew = changedTo({ sealedHeaders: { "x-key": sealed("k2") } }, before);

  expect(replaced).toMatchObject({
    action: "changed",
    detail: { headers: { changed: ["x-key"] } },
  });
  expect(anew).toMatchObject({
    action: "secrets_reencrypted",
    detail: {
      headers: {
        from: [{ name: "x-key", kid: "k1" }],
        to: [{ name: "x-key", kid: "k2" }],
      },
    },
  });
});

test("a URL is told without the values of its query, and without its fragment", () => {
  const before = anEndpoint({ url: "https://a.example/in?token=hush&a=&hush" });

  const fact = changedTo(
    { url: "https://b.example/in?token=hush2#key=hush" },
    before,
  );

  expect(fact.detail).toEqual({
    url: {
      from: "https://a.example/in?token=[redacted]&a=[redacted]&[redacted]",
      to: "https://b.example/in?token=[redacted]#[redacted]",
    },
  });
});

test("a re-encryption names the key of each secret before and after", () => {
  const [secret] = BEFORE.secrets;
  const fact = changedTo({
    secrets: [{ ...secret!, kid: "k2", ciphertext: Buffer.alloc(60, 8) }],
  });

  expect(fact.action).toBe("secrets_reencrypted");
  expect(fact.detail).toEqual({
    secrets: {
      from: [{ id: "sec_1", kid: "k1" }],
      to: [{ id: "sec_1", kid: "k2" }],
    },
  });
});
