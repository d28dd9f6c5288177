/** `postrider events explain`: what it asks control, and what it says of an event that is not recorded. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();
const run = (...args: readonly string[]) =>
  fake.postrider(args, { env: fake.env() });

const GONE = {
  field: "id",
  rule: "kept_30_days",
  message: "is gone where it came in more than 30 days ago",
};

function notRecorded(...hints: readonly object[]) {
  return [
    404,
    {
      title: "There is no such thing",
      detail:
        'No event "a/b" is recorded. What was just published takes a moment.',
      errors: [
        { field: "id", rule: "exists", message: "is not recorded" },
        ...hints,
        GONE,
      ],
    },
  ] as const;
}

test("it asks for the event of the tenant, and --json is what the API answers", async () => {
  const answer = { id: "a/b", verdict: "delivered", later: [1] };
  fake.answer = () => [200, answer];

  const { code, stdout } = await run(
    "events",
    "explain",
    "a/b",
    "--tenant",
    "acme",
    "--json",
  );

  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(answer);
  expect(fake.asked.map(({ line }) => line)).toEqual([
    "GET /v1/events/a%2Fb/explain?tenantId=acme",
  ]);
});

test.each([
  [
    {
      field: "tenantId",
      rule: "other_tenant",
      message: "tenant beta has an event of this id",
    },
    "tenant beta has an event of this id",
    "the same command with --tenant TENANT",
  ],
  [
    {
      field: "id",
      rule: "not_recorded_yet",
      message: "may not have come in, or is not recorded yet",
    },
    "it may not have come in, or is not recorded yet",
    "npx postrider status   (is route or the recorder behind?)",
  ],
])(
  "of an event that is not recorded it says where to look: %j",
  async (hint, why, next) => {
    fake.answer = () => [...notRecorded(hint)];

    const { code, stdout, stderr } = await run("events", "explain", "a/b");

    expect(code).toBe(4);
    expect(stdout).toBe("");
    expect(stderr.split("\n")).toEqual([
      'error: No event "a/b" is recorded. What was just published takes a moment.',
      `  why:  ${why}`,
      "        it is gone where it came in more than 30 days ago",
      `  next: ${next}`,
      "",
    ]);
  },
);

test("with --json the hints are data, too", async () => {
  fake.answer = () => [...notRecorded()];

  const { code, stderr } = await run("events", "explain", "a/b", "--json");

  expect(code).toBe(4);
  expect(JSON.parse(stderr)).toMatchObject({ exitCode: 4, errors: [{}, GONE] });
});

test("events get of an event that is not recorded names the command that says where it may be", async () => {
  fake.answer = () => [...notRecorded()];

  const { code, stderr } = await run("events", "get", "a/b", "--tenant", "t");

  expect(code).toBe(4);
  expect(stderr).toContain(
    "next: npx postrider events explain EVENT   (where it may be, and whose it is)\n",
  );
});

test.each(["get", "explain"])(
  "events %s of an id that several tenants use says which, and the option that tells them apart",
  async (verb) => {
    const message = "is required: the id is used by the tenants acme, beta";
    fake.answer = () => [
      409,
      {
        title: "Several tenants have an event of this id",
        detail:
          "2 tenants have an event of this id: say which with ?tenantId=.",
        errors: [{ field: "tenantId", rule: "required", message }],
      },
    ];

    const { code, stderr } = await run("events", verb, "a/b");

    expect(code).toBe(5);
    expect(stderr).toContain(`tenantId: ${message}\n`);
    expect(stderr).toContain("next: The same command with --tenant TENANT\n");
  },
);

test.each([
  [
    ["event-types", "get", "order.paid"],
    {
      field: "tenantId",
      rule: "other_tenant",
      message: "acme, beta have one of this name",
    },
    "  why:  acme, beta have one of this name\n  next: The same command with --tenant TENANT\n",
  ],
  [
    ["endpoints", "match", "ep_1", "--event", "evt_1"],
    { field: "eventId", rule: "exists", message: "is not recorded" },
    "  next: npx postrider events explain EVENT   (where it may be, and whose it is)\n",
  ],
])(
  "%j that is not found says what to ask instead",
  async (args, error, told) => {
    fake.answer = () => [
      404,
      {
        title: "There is no such thing",
        detail: "There is none.",
        errors: [error],
      },
    ];

    const { code, stderr } = await run(...args);

    expect(code).toBe(4);
    expect(stderr).toBe(`error: There is none.\n${told}`);
  },
);
