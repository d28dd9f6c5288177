/** `secrets status` and `reencrypt`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const run = (...args: readonly string[]) =>
  fake.postrider(["secrets", ...args], { env: fake.env() });

const key = (kid: string, secrets: number, isInRing = true, headers = 0) => ({
  kid,
  isInRing,
  secrets,
  headers,
  endpoints: secrets,
});
const DONE = {
  newest: "k2",
  remaining: 0,
  missing: 0,
  plainHeaders: 0,
  keys: [key("k2", 5), key("k1", 0)],
};
const ROUND = {
  newest: "k2",
  endpoints: 2,
  secrets: 3,
  headers: 1,
  failed: [],
  next: null,
};

test("the status shows what each key has sealed, and what to do next", async () => {
  fake.answer = () => [
    200,
    {
      newest: "k2",
      remaining: 4,
      missing: 2,
      plainHeaders: 2,
      keys: [key("k2", 5), key("k1", 3, true, 1), key("k0", 2, false)],
    },
  ];

  const ran = await run("status");

  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toBe(
    [
      "KEY  SECRETS  HEADERS  ENDPOINTS  STATE",
      "k2   5        0        5          newest: seals",
      "k1   3        1        3          opens",
      "k0   2        0        2          missing",
      "",
    ].join("\n"),
  );
  expect(ran.stderr).toContain(
    "Key k0 is missing, and 2 secrets and 0 header values are sealed",
  );
  expect(ran.stderr).toContain(
    "4 secrets or header values are sealed with an older key.",
  );
  expect(ran.stderr).toContain("2 header values are not sealed.");
  expect(ran.stderr).toContain("npx postrider secrets reencrypt");
  expect(ran.stderr).not.toContain("No endpoint needs");
});

test("a re-encryption goes on until nothing is left, and says what may still need the old key", async () => {
  fake.answer = ({ line, body }) => {
    if (line === "GET /v1/secrets") return [200, DONE];
    const isFirst = JSON.parse(body).after === "";
    return [200, { ...ROUND, next: isFirst ? "ep_5" : null }];
  };

  const ran = await run("reencrypt", "--why", "new key");

  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain(
    "Sealed with k2: 6 secrets and 2 header values of 4 endpoints.",
  );
  expect(ran.stderr).toContain("No endpoint needs k1 any more.");
  expect(ran.stderr).toContain("keep it 40 days");
  expect(fake.asked.map(({ line, body }) => `${line} ${body}`)).toEqual([
    'POST /v1/secrets/reencrypt {"after":""}',
    'POST /v1/secrets/reencrypt {"after":"ep_5"}',
    "GET /v1/secrets ",
  ]);
  expect(fake.asked[0]?.headers).toMatchObject({ "x-audit-reason": "new key" });
});

test("a replica that is a little behind does not fail a re-encryption that is done", async () => {
  let asked = 0;
  fake.answer = ({ line }) => {
    if (line !== "GET /v1/secrets") return [200, ROUND];
    const isBehind = (asked += 1) === 1;
    return [
      200,
      isBehind
        ? { ...DONE, remaining: 1, keys: [key("k2", 4), key("k1", 1)] }
        : DONE,
    ];
  };

  const ran = await run("reencrypt");

  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).toContain("No endpoint needs k1 any more.");
});

test("a secret that could not be sealed anew is named, and the command fails", async () => {
  const failed = {
    endpointId: "ep_1",
    tenantId: "acme",
    secretId: "sec_1",
    header: null,
    kid: "k0",
    reason: "key_missing",
  };
  fake.answer = ({ line }) =>
    line === "GET /v1/secrets"
      ? [
          200,
          { ...DONE, missing: 1, keys: [...DONE.keys, key("k0", 1, false)] },
        ]
      : [200, { ...ROUND, failed: [failed] }];

  const ran = await run("reencrypt");

  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stderr).toContain(
    "Not sealed anew: sec_1 of ep_1: the ring lacks key k0.",
  );
  expect(ran.stderr).toContain("rotate-secret ID --overlap 0");
});
