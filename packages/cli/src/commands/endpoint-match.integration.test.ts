/** `endpoints match`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();
const match = (args: readonly string[], input = "") =>
  fake.postrider(["endpoints", "match", ...args], { env: fake.env(), input });

test.each([
  ['{"total":101}', 0, "passed"],
  ['{"total":1}', 0, "filtered"],
  ["{}", 1, "failed"],
  ["total=1", 1, "failed"],
])(
  "a filter is tried here with the payload %s, and nobody is asked",
  async (payload, code, result) => {
    const ran = await match(
      ["--json", "--filter", "payload.total > 100", "--payload", "-"],
      payload,
    );

    expect(ran.code).toBe(code);
    expect(JSON.parse(ran.stdout)).toMatchObject({ result });
    expect(fake.asked).toEqual([]);
  },
);

test("an endpoint's own filter is tried with a file, for people", async () => {
  fake.answer = () => [
    200,
    { id: "ep_1", tenantId: "acme", filter: "payload.total > 100" },
  ];
  const path = join(fake.cwd, "order.json");
  writeFileSync(path, '{"sum":1}');

  const ran = await match(["ep_1", "--payload", path]);

  expect(ran.code).toBe(1);
  expect(ran.stdout).toBe(
    "failed: the endpoint does not get it: column 8, at `.total > 100`: no such key\n",
  );
  expect(fake.asked.map(({ line }) => line)).toEqual([
    "GET /v1/endpoints/ep_1",
  ]);
});

test("past events are counted by control, and it is told where time ran out", async () => {
  fake.answer = () => [
    200,
    {
      filter: "payload.total > 100",
      tenantId: "acme",
      eventTypes: ["*"],
      since: "2026-11-23T00:00:00.000Z",
      until: null,
      events: 9_000,
      read: 2_100,
      passed: 1_000,
      filtered: 1_000,
      failed: 98,
      unknown: 2,
      failures: [{ reason: "no such key", count: 98 }],
    },
  ];

  const ran = await match(
    "--filter true --tenant acme --since 7d --types order.*".split(" "),
  );

  expect(ran.code).toBe(0);
  expect(fake.asked).toMatchObject([{ line: "POST /v1/endpoints/match" }]);
  expect(JSON.parse(fake.asked[0]?.body ?? "")).toEqual({
    filter: "true",
    tenantId: "acme",
    since: "7d",
    eventTypes: ["order.*"],
  });
  expect(ran.stdout).toMatch(
    /^read 2100 of 9000 events of acme since 2026-11-23/,
  );
  expect(ran.stdout).toMatch(/passed +1000/);
  expect(ran.stdout).toMatch(/98 +no such key/);
  expect(ran.stdout).toMatch(/unknown +2 +their payload was not kept/);
  expect(ran.stderr).toContain(
    "Time ran out: 2100 of 9000 events were read (23 %)",
  );
});

test("an event for which the filter failed is exit 1", async () => {
  fake.answer = () => [
    200,
    { tenantId: "a", since: "", events: 1, read: 1, failed: 1, failures: [] },
  ];

  const ran = await match(["ep_1", "--event", "evt_1", "--json"]);

  expect(ran.code).toBe(1);
  expect(JSON.parse(fake.asked[0]?.body ?? "")).toEqual({
    endpointId: "ep_1",
    eventId: "evt_1",
  });
});

test.each([
  [[], /A filter is needed/],
  [["--filter", "true"], /--tenant is needed/],
  [
    ["--filter", "true", "--payload", "-", "--since", "1d"],
    /--payload does not go with/,
  ],
  [
    ["--filter", "paylod.a", "--payload", "-"],
    /The filter is wrong: column 1, at `paylod\.a`: unknown name paylod/,
  ],
  [
    ["--filter", "true", "--payload", "none.json"],
    /--payload names none\.json/,
  ],
])("endpoints match %j is a usage error", async (args, message) => {
  const ran = await match(args);

  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(message);
  expect(fake.asked).toEqual([]);
});
