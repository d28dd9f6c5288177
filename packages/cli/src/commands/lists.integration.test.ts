/** `postrider deliveries`, `attempts` and `dead-letters`: what they ask control, and how they write what it answers. */
import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { useFakeStack, type Asked } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const run = (...args: readonly string[]) =>
  fake.postrider(args, { env: fake.env() });

const delivery = (n: number, more: Readonly<Record<string, unknown>> = {}) => ({
  id: `dlv_${n}`,
  endpointId: "ep_1",
  eventType: "order.paid",
  status: "failed",
  attempts: 1,
  outcome: "http_error",
  statusCode: 503,
  receivedAt: `2026-11-29T10:00:0${n % 10}.000Z`,
  nextAttemptAt: null,
  deferralReason: null,
  deadLetterReason: null,
  ...more,
});

/** Two pages and an empty one between. */
function pages({ line }: Asked): readonly [number, unknown] {
  const cursor = new URL(line.split(" ")[1] ?? "", "http://x").searchParams.get(
    "cursor",
  );
  if (cursor === null)
    return [200, { deliveries: [delivery(3), delivery(2)], nextCursor: "b" }];
  if (cursor === "b") return [200, { deliveries: [], nextCursor: "c" }];
  return [200, { deliveries: [delivery(1)], nextCursor: null }];
}

test("filters become the parameters of the API", async () => {
  fake.answer = () => [200, { deliveries: [], nextCursor: null }];

  await run(
    "deliveries",
    "list",
    "--status=failed,pending",
    "--tenant=acme",
    "--endpoint=ep_1",
    "--type=order.paid",
    "--since=6h",
    "--status-code=5xx",
    "--waiting=breaker_open",
    "--text=a&b",
    "--reason=paused",
    "--replay=rpl_1",
    "--limit=7",
  );

  const asked = new URL(fake.asked[0]!.line.split(" ")[1]!, "http://x");
  expect(asked.pathname).toBe("/v1/deliveries");
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    status: "failed,pending",
    tenantId: "acme",
    endpointId: "ep_1",
    eventType: "order.paid",
    since: "6h",
    statusCode: "5xx",
    deferralReason: "breaker_open",
    text: "a&b",
    deadLetterReason: "paused",
    replayId: "rpl_1",
    limit: "7",
  });
});

test("a delivery that a replay has made is marked, and a dead letter whose event was delivered since", async () => {
  const letter = { deadAt: "2026-11-29T10:00:00.000Z", deliveryId: "dlv_1" };
  fake.answer = ({ line }) => [
    200,
    line.includes("dead-letters")
      ? {
          deadLetters: [
            { ...letter, isDelivered: true },
            { ...letter, deliveryId: "dlv_2", isDelivered: false },
          ],
          nextCursor: null,
        }
      : { deliveries: [delivery(1, { replayId: "rpl_7" })], nextCursor: null },
  ];

  const deliveries = await run("deliveries", "list");
  const letters = await run("dead-letters", "list", "--open", "--limit=5");

  expect(deliveries.stdout).toMatch(/ replay\n.*dlv_1 .* rpl_7\n$/);
  expect(letters.stdout).toMatch(/dlv_1 +delivered /);
  expect(letters.stdout).not.toMatch(/dlv_2 .*delivered/);
  expect(fake.asked[1]?.line).toBe("GET /v1/dead-letters?open=true&limit=5");
});

test("a list follows pages, also empty ones, until it has its limit", async () => {
  fake.answer = pages;

  const whole = await run("deliveries", "list", "--all", "--ndjson");
  const asked = fake.asked.length;
  const two = await run("deliveries", "list", "--limit", "2", "--json");

  expect(whole.code).toBe(0);
  expect(
    whole.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id),
  ).toEqual(["dlv_3", "dlv_2", "dlv_1"]);
  expect(asked).toBe(3);
  expect(JSON.parse(two.stdout)).toEqual({
    deliveries: [delivery(3), delivery(2)],
    nextCursor: "b",
  });
});

test("a list that fails on its way says where it can go on", async () => {
  fake.answer = ({ line }) =>
    line.includes("cursor=")
      ? [503, { detail: "ClickHouse does not answer." }]
      : [200, { deliveries: [delivery(1)], nextCursor: "c1" }];

  const { code, stderr } = await run("deliveries", "list", "--all", "--csv");

  expect(code).toBe(3);
  expect(stderr).toContain("1 row so far; go on with --cursor c1");
});

test("a table says that there is more, and how to go on", async () => {
  fake.answer = pages;

  const { stdout, stderr } = await run("deliveries", "list", "--limit", "2");

  expect(stdout).toMatch(/^received +delivery +endpoint/);
  expect(stdout).toContain("dlv_3");
  expect(stdout).toContain("http_error 503");
  expect(stderr).toContain("2 rows; there may be more: --all, or --cursor b");
});

test("--csv is RFC 4180: quoted where it must be, its lines ending in CR LF", async () => {
  fake.answer = () => [
    200,
    {
      deadLetters: [
        {
          reason: "invalid",
          detail: 'a "b", c\nd',
          attempts: 0,
          eventId: null,
        },
      ],
      nextCursor: null,
    },
  ];

  const { stdout } = await run("dead-letters", "list", "--csv");

  expect(stdout).toBe(
    'reason,detail,attempts,eventId\r\ninvalid,"a ""b"", c\nd",0,\r\n',
  );
});

test("attempts are listed", async () => {
  fake.answer = () => [
    200,
    {
      attempts: [
        {
          startedAt: "2026-11-29T10:00:00.000Z",
          deliveryId: "dlv_1",
          attemptNumber: 2,
          outcome: "timeout",
          error: "no\u001b[2J answer",
        },
      ],
      nextCursor: null,
    },
  ];

  const { stdout } = await run(
    "attempts",
    "list",
    "--status-code",
    "5xx",
    "--trigger",
    "retry",
  );

  expect(fake.asked[0]?.line).toBe(
    "GET /v1/attempts?statusCode=5xx&trigger=retry&limit=50",
  );
  expect(stdout).toContain("timeout");
  expect(stdout).not.toContain("\u001b[2J");
});

test("a delivery's timeline shows which attempts a replay has made", async () => {
  const attempt = {
    kind: "attempt",
    attemptNumber: 1,
    outcome: "delivered",
    statusCode: 200,
    durationMs: 9,
    error: null,
    nextAttemptAt: null,
  };
  fake.answer = () => [
    200,
    {
      ...delivery(1, { tenantId: "acme", eventId: "evt_1" }),
      timeline: [
        { ...attempt, at: "T1", trigger: "first", replayId: null },
        { ...attempt, at: "T2", trigger: "redrive", replayId: "rpl_1" },
      ],
      truncated: false,
    },
  ];

  const { stdout } = await run("deliveries", "get", "dlv_1");

  expect(stdout).toContain("T1  attempt 1  delivered 200  9 ms\n");
  expect(stdout).toContain(
    "T2  attempt 1  delivered 200  9 ms  redrive rpl_1\n",
  );
});

test("one delivery is shown with its timeline, in the order of time", async () => {
  fake.answer = () => [
    200,
    {
      ...delivery(1, { tenantId: "acme", eventId: "evt_1" }),
      timeline: [
        { kind: "event", at: "T0", decision: "routed", payloadBytes: 12 },
        {
          kind: "attempt",
          at: "T1",
          attemptNumber: 1,
          outcome: "http_error",
          statusCode: 503,
          durationMs: 9,
          error: null,
          nextAttemptAt: "T2",
        },
        {
          kind: "signal",
          at: "T1",
          signal: "breaker_opened",
          detail: "half failed",
        },
        {
          kind: "deferral",
          at: "T2",
          deferralReason: "breaker_open",
          nextAttemptAt: "T3",
        },
        {
          kind: "dead_letter",
          at: "T4",
          reason: "expired",
          detail: "too old",
          logTopic: "t",
          logPartition: 1,
          logOffset: 7,
        },
        { kind: "something_new", at: "T5" },
      ],
      truncated: false,
    },
  ];

  const { stdout } = await run(
    "deliveries",
    "get",
    "dlv/1",
    "--tenant",
    "acme",
  );

  expect(fake.asked[0]?.line).toBe("GET /v1/deliveries/dlv%2F1?tenantId=acme");
  expect(stdout).toBe(
    [
      "dlv_1  failed",
      "event evt_1  order.paid  tenant acme  endpoint ep_1",
      "  T0  event received  routed  12 bytes",
      "  T1  attempt 1  http_error 503  9 ms  next T2",
      "  T1  breaker_opened  half failed",
      "  T2  put off (breaker_open)  until T3",
      "  T4  given up (expired)  too old  t/1@7",
      "  T5  something_new",
      "",
    ].join("\n"),
  );
});

test("a delivery that is not there ends with 4 and names the list", async () => {
  fake.answer = () => [404, { detail: 'No delivery "x" is recorded.' }];

  const ran = await run("deliveries", "get", "x");

  expect(ran.code).toBe(4);
  expect(ran.stderr).toContain("npx postrider deliveries list");
});

test("tail goes on after control was away, and ends if it never was there", async () => {
  let isAway = false;
  const rows = [delivery(1)];
  fake.answer = () =>
    isAway
      ? [503, { detail: "ClickHouse does not answer." }]
      : [200, { deliveries: rows.toReversed(), nextCursor: null }];

  const running = run("deliveries", "tail", "--ndjson", "--every", "50ms");
  await waitFor(() => fake.asked.length >= 2);
  isAway = true;
  rows.push(delivery(2));
  const asked = fake.asked.length;
  await waitFor(() => fake.asked.length >= asked + 3);
  isAway = false;
  const again = fake.asked.length;
  await waitFor(() => fake.asked.length >= again + 2);
  fake.signal("SIGINT");
  const { code, stdout, stderr } = await running;
  isAway = true;
  const never = await run("deliveries", "tail");

  expect(code).toBe(130);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  expect(stdout).toContain(String(delivery(2)["id"]));
  expect(stderr.match(/Following goes on/g)).toHaveLength(1);
  expect(never.code).toBe(3);
});

test("tail prints what comes and what changes, each once, and ends with 130", async () => {
  const rows = [delivery(1)];
  fake.answer = () => [
    200,
    { deliveries: rows.toReversed(), nextCursor: null },
  ];

  const running = run("deliveries", "tail", "--ndjson", "--every", "50ms");
  await waitFor(() => fake.asked.length >= 2);
  rows.push(delivery(2), delivery(3));
  const asked = fake.asked.length;
  await waitFor(() => fake.asked.length >= asked + 2);
  rows[1] = delivery(2, { status: "delivered" });
  const again = fake.asked.length;
  await waitFor(() => fake.asked.length >= again + 2);
  fake.signal("SIGINT");
  const { code, stdout } = await running;

  expect(code).toBe(130);
  const shown = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; status: string });
  expect(shown.map(({ id, status }) => `${id} ${status}`)).toEqual([
    "dlv_2 failed",
    "dlv_3 failed",
    "dlv_2 delivered",
  ]);
});

test.each([
  [["deliveries", "list", "--all", "--limit", "3"], "exclude each other"],
  [["attempts", "list", "--csv", "--json"], "exclude each other"],
  [["attempts", "list", "--limit", "0"], "--limit"],
  [["deliveries", "get", ""], "is empty"],
])("%j is a usage error, and nothing is asked", async (args, told) => {
  const ran = await run(...args);

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(told);
  expect(fake.asked).toEqual([]);
});

test("migrate --print-tenant-user prints statements and asks nobody", async () => {
  const { code, stdout } = await fake.postrider(
    ["migrate", "--print-tenant-user"],
    {
      env: { CLICKHOUSE_TENANT_USER: "tenants" },
    },
  );

  expect(code).toBe(0);
  expect(stdout).toContain("CREATE USER IF NOT EXISTS tenants ");
  expect(stdout).toContain("GRANT SELECT ON postrider.deliveries TO tenants;");
  expect(fake.asked).toEqual([]);
});
