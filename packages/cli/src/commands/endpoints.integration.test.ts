/** `endpoints create`, `update`, `rotate-secret`, `list` and `get`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

test("an endpoint is created from the flags, and its secret is printed", async () => {
  fake.answer = () => [201, { id: "ep_1", version: 1, secret: "whsec_x" }];

  const flags =
    "--json --tenant acme --url https://example.com/hooks/ --types order.*,user.created --header X-Team:red --timeout 5s --retry-delays 1s,5m";
  const ran = await fake.postrider(
    ["endpoints", "create", ...flags.split(" ")],
    {
      env: fake.env(),
    },
  );

  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ secret: "whsec_x" });
  expect(fake.asked[0]?.headers["authorization"]).toBe("Bearer k3y");
  expect(JSON.parse(fake.asked[0]?.body ?? "")).toEqual({
    tenantId: "acme",
    url: "https://example.com/hooks/",
    eventTypes: ["order.*", "user.created"],
    headers: { "X-Team": "red" },
    timeoutMs: 5_000,
    retryDelaysMs: [1_000, 300_000],
  });
});

test("an endpoint's policy is set from the flags, and set back to what is built in", async () => {
  fake.answer = () => [200, { id: "ep_1", version: 1 }];

  const set =
    "--retry standard-webhooks --max-attempts 4 --max-age 72h --never-retry 400,422 --method PUT";
  const back =
    "--retry default --max-attempts default --max-age default --never-retry none --method POST";
  for (const flags of [set, back])
    await fake.postrider(["endpoints", "update", "ep_1", ...flags.split(" ")], {
      env: fake.env(),
    });

  const bodies = fake.asked
    .filter(({ body }) => body !== "")
    .map(({ body }) => JSON.parse(body) as unknown);
  expect(bodies).toEqual([
    {
      retryDelaysMs: "standard-webhooks",
      maxAttempts: 4,
      maxAgeMs: 259_200_000,
      notRetryableStatuses: [400, 422],
      method: "PUT",
    },
    {
      retryDelaysMs: null,
      maxAttempts: null,
      maxAgeMs: null,
      notRetryableStatuses: [],
      method: "POST",
    },
  ]);
});

test("an endpoint's filter is set from the flag, and taken away again", async () => {
  fake.answer = () => [200, { id: "ep_1", version: 1 }];

  for (const flags of [["--filter", "payload.a > 1"], ["--no-filter"]])
    await fake.postrider(["endpoints", "update", "ep_1", ...flags], {
      env: fake.env(),
    });

  const bodies = fake.asked
    .filter(({ body }) => body !== "")
    .map(({ body }) => JSON.parse(body) as unknown);
  expect(bodies).toEqual([{ filter: "payload.a > 1" }, { filter: null }]);
});

test.each([
  [["update", "ep_1", "--burst", "5"]],
  [["update", "ep_1", "--no-rate-limit", "--burst", "5"]],
  [["create", "--tenant", "a", "--url", "https://a.example", "--burst", "5"]],
])("endpoints %j without a rate says what a burst goes with", async (args) => {
  const ran = await fake.postrider(["endpoints", ...args], { env: fake.env() });
  const asJson = await fake.postrider(["endpoints", ...args, "--json"], {
    env: fake.env(),
  });

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("error: --burst goes with --rate-limit.");
  expect(ran.stderr).toMatch(
    new RegExp(`endpoints ${args[0]} .*--rate-limit 50/s --burst 100\n`),
  );
  expect(asJson.code).toBe(2);
  expect(JSON.parse(asJson.stderr)).toMatchObject({
    error: "--burst goes with --rate-limit.",
    exitCode: 2,
  });
  expect(fake.asked).toEqual([]);
});

test.each([[[]], [["--if-version", "3"]]])(
  "an update with %j alone is refused, because nothing would change",
  async (args) => {
    const ran = await fake.postrider(["endpoints", "update", "ep_1", ...args], {
      env: fake.env(),
    });

    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("error: Nothing to change was given.");
    expect(ran.stderr).toContain("endpoints update --help");
    expect(fake.asked).toEqual([]);
  },
);

test("a secret of one's own and one that is to be made do not go together", async () => {
  const ran = await fake.postrider(
    ["endpoints", "rotate-secret", "ep_1", "--secret", "hush", "--ed25519"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--secret does not go with --ed25519");
  expect(ran.stdout + ran.stderr).not.toContain("hush");
  expect(fake.asked).toEqual([]);
});

test("a header without a value is refused with the form that it must have", async () => {
  const ran = await fake.postrider(
    ["endpoints", "update", "ep_1", "--header", "foo"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--header foo: it must be name:value.");
  expect(ran.stderr).toContain('--header "x-team: billing"');
});

test("a change names the current version, unless one is given", async () => {
  fake.answer = () => [200, { id: "ep_1", version: 7, eventTypes: [] }];

  await fake.postrider(["endpoints", "update", "ep_1", "--disable"], {
    env: fake.env(),
  });
  await fake.postrider(["endpoints", "delete", "ep_1", "--if-version", "3"], {
    env: fake.env(),
  });

  const [, patch, remove] = fake.asked;
  expect(patch).toMatchObject({
    line: "PATCH /v1/endpoints/ep_1",
    body: '{"state":"disabled"}',
  });
  expect(patch?.headers["if-match"]).toBe('"7"');
  expect(remove?.line).toBe("DELETE /v1/endpoints/ep_1");
  expect(remove?.headers["if-match"]).toBe('"3"');
});

test("signing profiles and an ed25519 key are asked for by flags, and the public key is told", async () => {
  const secrets = [{ id: "sec_1", publicKey: "whpk_x" }];
  fake.answer = () => [
    201,
    { id: "ep_1", version: 1, secrets, secret: "whsk_x" },
  ];
  const flags = "--tenant acme --url https://a.example";

  const ran = await fake.postrider(
    ["endpoints", "create", ...flags.split(" "), "--ed25519"],
    { env: fake.env() },
  );
  const both = ["--signing", "standard,hmac-hex"];
  await fake.postrider(
    ["endpoints", "update", "ep_1", ...both, "--if-version", "1"],
    {
      env: fake.env(),
    },
  );

  expect(ran.stdout).toContain("whsk_x");
  expect(ran.stderr).toContain("the public key: whpk_x");
  expect(JSON.parse(fake.asked[0]?.body ?? "")).toMatchObject({
    secretType: "ed25519",
  });
  expect(JSON.parse(fake.asked[1]?.body ?? "")).toEqual({
    signing: ["standard", "hmac-hex"],
  });
});

test("a rotation names the current version, and prints the new secret", async () => {
  fake.answer = () => [200, { id: "ep_1", version: 7, secret: "whsec_new" }];
  const rotate = ["endpoints", "rotate-secret", "ep_1"];

  const ran = await fake.postrider([...rotate, "--json"], { env: fake.env() });
  await fake.postrider(
    [...rotate, "--secret", "hush", "--overlap", "0", "--if-version", "3"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ secret: "whsec_new" });
  const [read, first, second] = fake.asked;
  expect(read?.line).toBe("GET /v1/endpoints/ep_1");
  expect(first).toMatchObject({
    line: "POST /v1/endpoints/ep_1/rotate-secret",
    body: "{}",
  });
  expect(first?.headers["if-match"]).toBe('"7"');
  expect(second?.headers["if-match"]).toBe('"3"');
  expect(JSON.parse(second?.body ?? "")).toEqual({
    secret: "hush",
    overlapMs: 0,
  });
});

test("a list is read to its last page", async () => {
  fake.answer = ({ line }) =>
    line.includes("cursor=next")
      ? [200, { endpoints: [{ id: "ep_2", eventTypes: [] }], nextCursor: null }]
      : [
          200,
          { endpoints: [{ id: "ep_1", eventTypes: [] }], nextCursor: "next" },
        ];

  const ran = await fake.postrider(["endpoints", "list", "--json"], {
    env: fake.env(),
  });

  expect(JSON.parse(ran.stdout)).toMatchObject({
    endpoints: [{ id: "ep_1" }, { id: "ep_2" }],
  });
});

test.each([
  ["endpoints", "delete", "ep_1"],
  ["event-types", "delete", "order.paid"],
  ["keys", "revoke", "key_1"],
])("%s %s takes --yes as every command that deletes does", async (...args) => {
  fake.answer = () => [200, { id: args[2], version: 1 }];

  const ran = await fake.postrider([...args, "--yes"], { env: fake.env() });

  expect(ran).toMatchObject({ code: 0 });
  expect(fake.asked.at(-1)?.line).toMatch(/^DELETE /);
});

test("when policy refuses an address, the command that says how to allow it is named", async () => {
  const errors = [{ field: "url", rule: "scheme", message: "https only" }];
  fake.answer = () => [400, { title: "The request breaks a rule", errors }];

  const ran = await fake.postrider(
    ["endpoints", "create", "--tenant", "acme", "--url", "http://a.example"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("postrider doctor address");
});
