import { expect, test } from "@jest/globals";
import { createApiServer, KnownKeys, newKey, type Role } from "@postrider/http";
import { anApiKey, testEffects } from "@postrider/testkit";
import { callerRoutes } from "./caller-routes.ts";

const keys = new KnownKeys();
const { app } = createApiServer({
  ...testEffects(),
  name: "test",
  host: "127.0.0.1",
  port: 0,
  adminKey: "the-admin-key",
  keys,
  maxBodyBytes: 1_000,
  routes: [callerRoutes],
  description: { title: "", description: "", tags: {} },
  onAnswered: () => undefined,
});

function tokenOf(role: Role, tenantId: string | null): [string, string] {
  const { id, token, hash } = newKey();
  keys.set(id, anApiKey({ id, role, tenantId, hash }));
  return [id, token];
}

async function callerOf(token: string): Promise<unknown> {
  const { body } = await app.inject({
    url: "/v1/caller",
    headers: { authorization: `Bearer ${token}` },
  });
  return JSON.parse(body) as unknown;
}

test.each([
  ["reader", "acme"],
  ["publisher", null],
  ["admin", "acme"],
] as const)("a key of a %s of %s learns that", async (role, tenantId) => {
  const [keyId, token] = tokenOf(role, tenantId);

  expect(await callerOf(token)).toEqual({ keyId, role, tenantId });
});

test("the key of the environment is an administrator of every tenant, and no key learns nothing", async () => {
  expect(await callerOf("the-admin-key")).toEqual({
    keyId: "admin",
    role: "admin",
    tenantId: null,
  });
  expect(await callerOf("another")).toMatchObject({ status: 401 });
});
