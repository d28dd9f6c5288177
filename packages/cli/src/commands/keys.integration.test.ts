/** `keys create`, `list`, `get` and `revoke`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const KEY = {
  id: "0123456789abcdef",
  name: "billing in Frankfurt",
  role: "publisher",
  tenantId: "acme",
  state: "active",
  limitPerSecond: 50,
  limitBurst: 50,
  createdBy: "admin",
  createdAt: "2026-11-29T12:00:00.000Z",
  expiresAt: null,
  revokedAt: null,
};
const TOKEN = `prk_${KEY.id}_${"s".repeat(43)}`;

const run = (...args: readonly string[]) =>
  fake.postrider(["keys", ...args], { env: fake.env() });

test("a new key's token is all that stdout gets, and stderr says that it is not shown again", async () => {
  fake.answer = () => [201, { ...KEY, token: TOKEN }];

  const ran = await run(
    ..."create --role publisher --tenant acme --expires-in 90d --rate-limit 600/m --why rotation --name".split(
      " ",
    ),
    KEY.name,
  );

  expect(ran).toMatchObject({ code: 0, stdout: `${TOKEN}\n` });
  expect(ran.stderr).toContain("Keep the token: it is not shown again.");
  expect(ran.stderr).not.toContain(TOKEN);
  expect(fake.asked).toMatchObject([
    { line: "POST /v1/keys", headers: { "x-audit-reason": "rotation" } },
  ]);
  expect(JSON.parse(fake.asked[0]!.body)).toEqual({
    name: KEY.name,
    role: "publisher",
    tenantId: "acme",
    expiresIn: "90d",
    limitPerSecond: 10,
  });
});

test("with --json the whole answer is on stdout, the token once", async () => {
  fake.answer = () => [201, { ...KEY, token: TOKEN }];

  const ran = await run("create", "--name", "x", "--role", "admin", "--json");

  expect(JSON.parse(ran.stdout)).toEqual({ ...KEY, token: TOKEN });
  expect(ran.stderr).toBe("");
});

test.each([
  [["create", "--role", "reader"], "--name"],
  [["create", "--name", "x", "--role", "owner"], "--role"],
  [["create", "--name", "x", "--role", "reader", "--expires-in", "soon"], "90"],
  [["create", "--name", "x", "--role", "reader", "--rate-limit", "5"], "50/s"],
])("%j is a usage error that tells what is wanted", async (args, told) => {
  const ran = await run(...args);

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(told === "90" ? "duration" : told);
  expect(fake.asked).toEqual([]);
});

test("all pages are listed", async () => {
  fake.answer = ({ line }) =>
    line.includes("cursor=abc")
      ? [200, { keys: [{ ...KEY, id: "second" }], nextCursor: null }]
      : [200, { keys: [KEY], nextCursor: "abc" }];

  const ran = await run("list", "--tenant", "acme");
  const json = await run("list", "--json");

  expect(ran.stdout).toMatch(/^ID +ROLE +TENANT +STATE +LIMIT +EXPIRES +NAME/);
  expect(ran.stdout).toMatch(
    /0123456789abcdef +publisher +acme +active +50\/s +never +billing in Frankfurt\nsecond/,
  );
  expect(fake.asked[0]?.line).toBe("GET /v1/keys?limit=1000&tenantId=acme");
  expect(JSON.parse(json.stdout)).toMatchObject({
    keys: [{ id: KEY.id }, { id: "second" }],
  });
});

test("a key is shown, and revoked with a reason", async () => {
  fake.answer = () => [200, { ...KEY, state: "revoked" }];

  const got = await run("get", KEY.id);
  const revoked = await run("revoke", KEY.id, "--why", "leaked", "--json");

  expect(got.stdout).toMatch(/name +billing in Frankfurt/);
  expect(JSON.parse(revoked.stdout)).toMatchObject({ state: "revoked" });
  expect(fake.asked.map(({ line }) => line)).toEqual([
    `GET /v1/keys/${KEY.id}`,
    `DELETE /v1/keys/${KEY.id}`,
  ]);
  expect(fake.asked[1]?.headers["x-audit-reason"]).toBe("leaked");
});

test.each([
  [403, 5, "Set POSTRIDER_ADMIN_KEY to a key that may do this"],
  [404, 4, "npx postrider keys list"],
  [429, 5, "The key's limit is reached (429)"],
])("an answer of %i ends with %i and the next step", async (...of) => {
  const [status, code, next] = of;
  fake.answer = () => [
    status,
    {
      title: "The key's limit is reached",
      detail: "There is no key x.",
      errors: [],
    },
  ];

  const ran = await run("get", "x");

  expect(ran.code).toBe(code);
  expect(ran.stderr).toContain(next);
});

test("the help says that any key may be set", async () => {
  const ran = await run("--help");

  expect(ran.stdout).toContain("POSTRIDER_ADMIN_KEY");
  expect(ran.stdout).toContain("any key");
});
