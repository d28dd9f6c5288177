/** `event-types`, `publish --example` and `trigger`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const TYPE = {
  name: "order.paid",
  tenantId: null,
  description: "paid",
  schema: { type: "object" },
  example: { orderId: 1001, total: 12.5 },
  version: 3,
};

const run = (...args: readonly string[]) =>
  fake.postrider(args, { env: fake.env() });

test.each([
  ["publish", "--example", "order.paid", "--id", "evt_1"],
  ["trigger", "order.paid", "--id", "evt_1"],
])("`%s` publishes the catalogue's example for the tenant", async (...args) => {
  fake.answer = ({ line }) =>
    line.startsWith("GET")
      ? [200, TYPE]
      : [202, { events: [{ id: "evt_1", tenantId: "acme" }] }];

  const ran = await run(...args, "--tenant", "acme");

  expect(ran.code).toBe(0);
  expect(fake.asked.map(({ line }) => line)).toEqual([
    "GET /v1/event-types/order.paid?tenantId=acme",
    "POST /v1/events",
  ]);
  expect(JSON.parse(fake.asked[1]!.body)).toEqual({
    id: "evt_1",
    type: "order.paid",
    tenantId: "acme",
    payload: TYPE.example,
  });
});

test("a type without an example says what to do, and nothing is published", async () => {
  fake.answer = () => [200, { ...TYPE, example: null }];

  const ran = await run("trigger", "order.paid", "--tenant", "acme");

  expect(ran.code).toBe(4);
  expect(ran.stderr).toContain("The event type order.paid has no example.");
  expect(fake.asked).toHaveLength(1);
});

test.each([
  [["publish", "--example", "a", "--type", "b", "--tenant", "t"], "--type"],
  [
    ["publish", "--example", "a", "--payload", "1", "--tenant", "t"],
    "--payload",
  ],
  [["publish", "--example", "a", "--ndjson", "-"], "--example"],
  [["trigger", "a"], "--tenant"],
  [["event-types", "policy", "all", "--tenant", "t"], "no level all"],
  [["event-types", "policy", "off"], "--tenant"],
])("%j is a usage error", async (args, told) => {
  const ran = await run(...args);

  expect(ran).toMatchObject({ code: 2 });
  expect(ran.stderr).toContain(told);
  expect(fake.asked).toEqual([]);
});

test("a policy is shown, and set", async () => {
  fake.answer = () => [200, { tenantId: "acme", level: "schema" }];

  const shown = await run("event-types", "policy", "--tenant", "acme");
  const set = await run("event-types", "policy", "schema", "--tenant", "acme");

  expect([shown.stdout, set.stdout]).toEqual([
    "acme: schema\n",
    "acme: schema\n",
  ]);
  expect(fake.asked.map(({ line, body }) => `${line} ${body}`)).toEqual([
    "GET /v1/event-type-policies/acme ",
    'PUT /v1/event-type-policies/acme {"level":"schema"}',
  ]);
});

test("a list, one type and a deletion", async () => {
  fake.answer = ({ line }) =>
    line.startsWith("GET /v1/event-types?")
      ? [200, { eventTypes: [TYPE], nextCursor: null }]
      : [200, line.startsWith("GET") ? TYPE : ""];

  const list = await run("event-types", "list");
  const one = await run("event-types", "get", "order.paid", "--json");
  const gone = await run(
    "event-types",
    "delete",
    "order.paid",
    "--tenant",
    "acme",
  );

  expect(list.stdout).toMatch(/order\.paid +all +3 +yes +yes +paid/);
  expect(JSON.parse(one.stdout)).toEqual(TYPE);
  expect(gone.stdout).toBe("order.paid is deleted.\n");
  expect(fake.asked.at(-1)).toMatchObject({
    line: "DELETE /v1/event-types/order.paid?tenantId=acme",
    headers: { "if-match": "*" },
  });
});

test("every problem of a file is told before anything is asked, with its line", async () => {
  const file = join(fake.cwd, "types.yaml");
  writeFileSync(
    file,
    `eventTypes:
  - name: order.paid
    schema: { type: object, required: [id] }
    example: { total: 1 }
  - name: order..seen
  - name: a
    shema: {}
  - name: a
`,
  );

  const ran = await run("event-types", "apply", "-f", file);

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain(
    "types.yaml:4: eventTypes[0].example.id: is required",
  );
  expect(ran.stderr).toContain("types.yaml:5: eventTypes[1]: needs a name");
  expect(ran.stderr).toContain(
    "types.yaml:7: eventTypes[2].shema: is not a field",
  );
  expect(ran.stderr).toContain(
    "types.yaml:8: eventTypes[3]: has the tenant and the name of eventTypes[2]",
  );
  expect(fake.asked).toEqual([]);
});
