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
