/** `endpoints test`, and the filters of `endpoints list`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const delivery = (more: object) => ({
  id: "dlv_1",
  eventId: "test_1",
  eventType: "postrider.test",
  tenantId: "acme",
  endpointId: "ep_1",
  timeline: [],
  truncated: false,
  ...more,
});

const signal = (at: string, name: string) => ({
  at,
  kind: "signal",
  signal: name,
});

/** Answers the test, and each look at its delivery in turn; the last one from then on. */
function answering(...looks: readonly (readonly [number, unknown])[]): void {
  let at = 0;
  fake.answer = ({ line }) =>
    line.startsWith("POST")
      ? [202, { deliveryId: "dlv_1" }]
      : looks[Math.min(at++, looks.length - 1)]!;
}

test("a test that is delivered ends with 0, once it is recorded, and shows its attempt", async () => {
  const attempt = {
    at: "2026-11-29T00:00:00.000Z",
    kind: "attempt",
    attemptNumber: 1,
    outcome: "delivered",
    statusCode: 200,
    durationMs: 7,
    trigger: "test",
  };
  answering(
    [404, { detail: "not yet" }],
    [200, delivery({ status: "pending", deferralReason: "rate_limited" })],
    [
      200,
      delivery({
        status: "delivered",
        receivedAt: "2026-11-29T00:00:00.000Z",
        timeline: [
          signal("2026-11-28T22:00:00.000Z", "breaker_closed"),
          signal("2026-11-28T23:00:00.000Z", "breaker_opened"),
          attempt,
          signal("2026-11-28T23:59:59.900Z", "gone"),
        ],
      }),
    ],
  );

  const ran = await fake.postrider(
    ["endpoints", "test", "ep_1", "--why", "ticket 7"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain("attempt 1  delivered 200  7 ms");
  expect(ran.stdout).not.toContain("breaker_closed");
  expect(ran.stdout).toContain("breaker_opened"); // and still is
  expect(ran.stdout).toContain("gone"); // by another clock
  expect(ran.stderr).toContain("waits: rate_limited");
  const [sent, look] = fake.asked;
  expect(sent?.line).toBe("POST /v1/endpoints/ep_1/test");
  expect(sent?.headers["x-audit-reason"]).toBe("ticket 7");
  expect(look?.line).toBe("GET /v1/deliveries/dlv_1");
});

test("a test that is given up ends with 1, and still shows what happened", async () => {
  const status = "expired";
  answering([200, delivery({ status, deadLetterReason: "exhausted" })]);

  const ran = await fake.postrider(["endpoints", "test", "ep_1", "--json"], {
    env: fake.env(),
  });

  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stdout)).toMatchObject({ status: "expired" });
});

test.each([
  [
    [404, { detail: "not yet" }],
    "see whether dispatcher and recorder run",
    "postrider status",
  ],
  [
    [200, delivery({ status: "pending", deferralReason: "breaker_open" })],
    "It waits: breaker_open.",
    "deliveries get dlv_1",
  ],
] as const)(
  "a test that does not end in time says what it waits for, and what to do",
  async (look, why, next) => {
    answering(look);

    const ran = await fake.postrider(
      ["endpoints", "test", "ep_1", "--wait", "1s"],
      { env: fake.env() },
    );

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("Test dlv_1 has not ended yet.");
    expect(ran.stderr).toContain(why);
    expect(ran.stderr).toContain(next);
  },
);

test("a list asks for what its flags say", async () => {
  fake.answer = () => [200, { endpoints: [], nextCursor: null }];

  const flags =
    "--tenant acme --external-id billing --state paused --type order.* --text crm";
  await fake.postrider(["endpoints", "list", ...flags.split(" ")], {
    env: fake.env(),
  });
  const wrong = await fake.postrider(["endpoints", "list", "--state", "on"], {
    env: fake.env(),
  });

  const query = new URL(`http://x${fake.asked[0]?.line.split(" ")[1]}`);
  expect(Object.fromEntries(query.searchParams)).toEqual({
    limit: "1000",
    tenantId: "acme",
    externalId: "billing",
    state: "paused",
    eventType: "order.*",
    text: "crm",
  });
  expect(wrong.code).toBe(2);
});
