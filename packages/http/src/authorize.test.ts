/** What a request may do with which key: the server without a socket, and keys that the test sets. */
import { expect, test } from "@jest/globals";
import { type ApiKey, controlEntry } from "@postrider/core";
import { anApiKey, fakeClock, testEffects } from "@postrider/testkit";
import { ADMINISTER, PUBLISH, READ, READ_ALL } from "./access.ts";
import { createApiServer } from "./api-server.ts";
import { hashOfToken, newKey } from "./key-token.ts";
import { followKeys, keyEntry, KnownKeys } from "./known-keys.ts";
import type { ProblemDocument } from "./problem-error.ts";

const ADMIN_KEY = "the-key-of-the-environment";
const ROUTES = {
  "/publish": PUBLISH,
  "/read": READ,
  "/read-all": READ_ALL,
  "/change": ADMINISTER,
  "/unsaid": {},
} as const;

function anApi(
  behind: () => string | null = () => null,
  ageMs: () => number = () => 0,
) {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const keys = new KnownKeys(behind, ageMs);
  const answeredTo: (string | null)[] = [];
  const { app } = createApiServer({
    ...effects,
    name: "test",
    host: "127.0.0.1",
    port: 0,
    adminKey: ADMIN_KEY,
    keys,
    maxBodyBytes: 1_000,
    description: { title: "Test", description: "", tags: {} },
    routes: [
      (server) => {
        for (const [path, access] of Object.entries(ROUTES))
          server.get(path, access, async ({ caller }) => caller);
      },
    ],
    onAnswered: ({ keyId }) => void answeredTo.push(keyId),
  });
  /** Makes a key known. Returns its token. */
  function issue(fields: Partial<ApiKey> = {}): string {
    const { id, token, hash } = newKey();
    keys.set(id, anApiKey({ ...fields, id, hash }));
    return token;
  }
  async function ask(path: string, key: string) {
    const answer = await app.inject({
      url: path,
      headers: { authorization: `Bearer ${key}` },
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.json<ProblemDocument & Record<string, unknown>>(),
    };
  }
  return { app, clock, effects, keys, issue, ask, answeredTo };
}

test("a token holds the key's id at a fixed place, and only its hash is to be kept", () => {
  const { id, token, hash } = newKey();

  expect(token).toMatch(/^prk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  expect(token.slice(4, 20)).toBe(id);
  expect(hash).toEqual(hashOfToken(token));
});

test("a route knows the caller by its key", async () => {
  const { issue, ask } = anApi();
  const text = issue({ role: "reader", tenantId: "acme" });

  expect((await ask("/read", text)).body).toEqual({
    keyId: text.slice(4, 20),
    role: "reader",
    tenantId: "acme",
  });
  expect((await ask("/read", ADMIN_KEY)).body).toEqual({
    keyId: "admin",
    role: "admin",
    tenantId: null,
  });
});

const other = (text: string): string =>
  `${text.slice(0, -1)}${text.endsWith("A") ? "B" : "A"}`;

test("unknown, malformed, and wrong keys of a known id get one and the same 401", async () => {
  const { app, issue, ask, keys } = anApi();
  const known = issue();
  const revoked = issue({ revokedAt: 1 });
  const expired = issue({ expiresAt: 1 });
  const gone = issue();
  keys.set(gone.slice(4, 20), undefined);

  const answers = await Promise.all(
    [
      newKey().token,
      other(known),
      other(revoked),
      other(expired),
      gone,
      known.slice(0, -1),
      `${known}x`,
      "prk_",
      "x",
      known.slice(21),
      hashOfToken(known).toString("hex"),
    ].map((text) => ask("/read", text)),
  );
  const without = await app.inject({ url: "/read" });

  const documents = answers.map(({ status, body }) => {
    const { requestId: _, ...document } = body;
    return { status, document };
  });
  expect(new Set(documents.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(documents[0]).toMatchObject({
    status: 401,
    document: {
      detail: "Send a valid key as `authorization: Bearer KEY`.",
      errors: [{ field: "authorization", rule: "bearer" }],
    },
  });
  expect(without.json()).toMatchObject(documents[0]!.document);
});

test("whoever has the right secret is told that the key was revoked or has expired, and when", async () => {
  const { issue, ask, clock } = anApi();
  const at = clock.now() + 1_000;
  const expiring = issue({ expiresAt: at });

  const before = await ask("/read", expiring);
  clock.advance(1_000);
  const after = await ask("/read", expiring);
  const revoked = await ask("/read", issue({ revokedAt: at }));

  expect(before.status).toBe(200);
  for (const [answer, rule] of [
    [after, "expired"],
    [revoked, "revoked"],
  ] as const) {
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(answer.body.detail).toContain("2026-01-01T00:00:01.000Z");
    expect(answer.body.errors).toMatchObject([{ rule }]);
  }
});

test("a key with a role, a hash or a tenant that control does not write may do nothing", async () => {
  const { keys, issue, ask } = anApi();
  const { id, token, hash } = newKey();
  keys.set(id, anApiKey({ id, hash: hash.subarray(1) }));

  for (const odd of [{ role: "owner" }, { tenantId: "" }])
    expect((await ask("/read", issue(odd))).status).toBe(401);
  expect((await ask("/read", token)).status).toBe(401);
});

test("what is changed or taken away counts for the next request", async () => {
  const { keys, ask } = anApi();
  const { id, token, hash } = newKey();
  keys.set(id, anApiKey({ id, hash }));
  expect((await ask("/change", token)).status).toBe(200);

  keys.set(id, anApiKey({ id, hash, role: "reader" }));
  expect((await ask("/change", token)).status).toBe(403);
  keys.set(id, anApiKey({ id, hash, revokedAt: 1 }));
  expect((await ask("/read", token)).status).toBe(401);
});

const all = { "/publish": 200, "/read": 200, "/read-all": 200, "/change": 200 };
test.each([
  ["admin", null, { ...all, "/unsaid": 200 }],
  ["admin", "acme", { ...all, "/read-all": 403, "/unsaid": 403 }],
  ["publisher", null, { ...refused("/publish") }],
  ["publisher", "acme", { ...refused("/publish") }],
  ["reader", null, { ...refused("/read", "/read-all") }],
  ["reader", "acme", { ...refused("/read") }],
])(
  "the role %s with the tenant %j may do what it may, and nothing else",
  async (role, tenantId, expected) => {
    const { issue, ask } = anApi();
    const text = issue({ role, tenantId });

    const found: Record<string, number> = {};
    for (const path of Object.keys(ROUTES))
      found[path] = (await ask(path, text)).status;

    expect(found).toEqual(expected);
    expect((await ask("/nothing", text)).status).toBe(404);
  },
);

/** Every route refused but these. */
function refused(...allowed: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    Object.keys(ROUTES).map((path) => [
      path,
      allowed.includes(path) ? 200 : 403,
    ]),
  );
}

test("a refusal names what is needed", async () => {
  const { issue, ask } = anApi();

  const role = await ask("/change", issue({ role: "reader" }));
  const tenant = await ask("/read-all", issue({ tenantId: "acme" }));

  expect(role.body).toMatchObject({
    type: "urn:postrider:problem:forbidden",
    detail: "This needs a key with the role admin; this key's role is reader.",
    errors: [{ field: "authorization", rule: "role" }],
  });
  expect(tenant.body).toMatchObject({
    detail:
      "This needs a key without a tenant, because this route is about all of them; this key's tenant is acme.",
    errors: [{ field: "authorization", rule: "no_tenant" }],
  });
});

test("a key beyond its limit gets 429, when to come back, and goes on then; it is counted without its name", async () => {
  const { issue, ask, clock, effects } = anApi();
  const text = issue({ limit: { perSecond: 0.4, burst: 2 } });

  const first = [await ask("/read", text), await ask("/nothing", text)];
  const beyond = await ask("/read", text);
  const another = await ask("/read", issue());
  clock.advance(2_500);
  const later = await ask("/read", text);

  expect(first.map(({ status }) => status)).toEqual([200, 404]);
  expect(beyond).toMatchObject({
    status: 429,
    headers: {
      "retry-after": "3",
      "content-type": "application/problem+json",
    },
    body: { type: "urn:postrider:problem:limited" },
  });
  expect([another.status, later.status]).toEqual([200, 200]);
  const metrics = await effects.meter.render();
  expect(metrics).toMatch(/postrider_api_limited_total\{service="test"\} 1\n/);
});

test("an answer is logged with the key's id, also where the key may not or is beyond its limit", async () => {
  const { issue, ask, answeredTo } = anApi();
  const text = issue({ role: "reader", limit: { perSecond: 1, burst: 2 } });

  await ask("/read", text);
  await ask("/change", text);
  await ask("/read", text);
  await ask("/read", newKey().token);

  const id = text.slice(4, 20);
  expect(answeredTo).toEqual([id, id, id, null]);
});

test("while keys may be missing, those that are known count, and an unknown one is asked to come back", async () => {
  const { issue, ask } = anApi(() => "control has not been read");
  const known = issue();

  const unknown = await ask("/read", newKey().token);

  expect((await ask("/read", known)).status).toBe(200);
  expect((await ask("/read", ADMIN_KEY)).status).toBe(200);
  expect(unknown).toMatchObject({
    status: 503,
    headers: { "retry-after": "1" },
  });
  expect((await ask("/read", other(known))).status).toBe(401);
  expect((await ask("/read", "no key's form")).status).toBe(401);
});

test("keys of which there was no news for a day may have been revoked: none counts until there is, but for the environment's", async () => {
  let ageMs = 24 * 3_600_000;
  const { issue, ask } = anApi(
    () => "control has not been read",
    () => ageMs,
  );
  const known = issue();
  expect((await ask("/read", known)).status).toBe(200);

  ageMs += 1;
  expect(await ask("/read", known)).toMatchObject({
    status: 503,
    headers: { "retry-after": "60" },
    body: { type: "urn:postrider:problem:keys-behind" },
  });
  expect((await ask("/read", other(known))).status).toBe(401);
  expect((await ask("/read", ADMIN_KEY)).status).toBe(200);

  ageMs = 0;
  expect((await ask("/read", known)).status).toBe(200);
});

test("the keys follow the table of the topic control, and nothing of its other entries", () => {
  const listeners: Parameters<
    Parameters<typeof followKeys>[0]["onChange"]
  >[0][] = [];
  const keys = followKeys({
    onChange: (listener) => listeners.push(listener),
    behind: () => null,
    ageMs: () => 0,
  });
  const tell = (name: string, key: ApiKey | undefined): void => {
    for (const listener of listeners)
      listener(name, key && controlEntry({ key }));
  };

  tell(keyEntry("a"), anApiKey({ id: "a", role: "reader" }));
  tell("resume:b", anApiKey({ id: "b" }));
  expect(keys.get("a")?.caller.role).toBe("reader");
  expect(keys.get("b")).toBeUndefined();
  tell(keyEntry("a"), undefined);

  expect(keys.get("a")).toBeUndefined();
});
