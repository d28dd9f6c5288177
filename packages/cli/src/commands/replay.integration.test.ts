/** `replay`, `deliveries redrive` and `dead-letters redrive`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const PREVIEW = {
  kind: "redrive",
  tenantId: "acme",
  selection: {
    deliveryIds: [],
    endpointId: "ep_1",
    statuses: ["expired"],
    statusCode: null,
  },
  selectedAt: "2026-01-01T00:00:00.000Z",
  total: 3,
  toSend: 2,
  leftOut: { parked: 1 },
  oldestReceivedAt: "2025-12-31T00:00:00.000Z",
  newestReceivedAt: "2025-12-31T01:00:00.000Z",
  ratePerSecond: 500,
  seconds: 1,
  endpointCount: 1,
  endpoints: [
    {
      endpointId: "ep_1",
      tenantId: "acme",
      total: 3,
      toSend: 2,
      leftOut: { parked: 1, payload_gone: 2 },
      oldestReceivedAt: "2025-12-31T00:00:00.000Z",
      newestReceivedAt: "2025-12-31T01:00:00.000Z",
      lack: null,
    },
  ],
  withoutDelivery: {},
  wholeSince: null,
};
const REPLAY = {
  id: "rpl_1",
  state: "running",
  detail: null,
  selection: { endpointId: "ep_1", reasons: [], statusCode: null },
  why: "they are back",
  total: 3,
  done: 0,
  sent: 0,
  leftOut: {},
  secondsLeft: 1,
  createdAt: "2026-01-01T00:00:01.000Z",
};

/** Answers previews with this one, and everything else with the replay. */
function answers(preview: object = PREVIEW): void {
  fake.answer = ({ line }) =>
    line.endsWith("/preview") ? [200, preview] : [201, REPLAY];
}

const ran = (...args: string[]) => fake.postrider(args, { env: fake.env() });
const asked = () =>
  fake.asked.map(({ line, body }) => [
    line,
    body === "" ? null : (JSON.parse(body) as unknown),
  ]);

test("replay create shows what would be sent, and makes what was shown", async () => {
  answers();

  const flags =
    "--endpoint ep_1 --event-type order.paid --reason exhausted --reason gone --status-code 503 --since 2025-12-31T00:00:00Z --rate 20 --yes";
  const { code, stderr, stdout } = await ran(
    "replay",
    "create",
    ...flags.split(" "),
    "--why",
    "they are back",
  );

  expect(code).toBe(0);
  expect(stderr).toContain(
    "Selected: tenantId: acme; endpointId: ep_1; statuses: expired.",
  );
  expect(stderr).toContain("2 deliveries would be sent again, to 1 endpoint.");
  expect(stderr).toContain("1 would be left out: 1 parked.");
  expect(stderr).toMatch(/^ep_1 .* 1 parked, 2 payload_gone$/m);
  expect(stderr).toContain("npx postrider replay watch rpl_1");
  expect(stdout).toContain("rpl_1");
  const selection = {
    endpointId: "ep_1",
    eventTypes: ["order.paid"],
    reasons: ["exhausted", "gone"],
    statusCode: 503,
    receivedSince: Date.UTC(2025, 11, 31),
    ratePerSecond: 20,
  };
  expect(asked()).toEqual([
    ["POST /v1/replays/preview", selection],
    [
      "POST /v1/replays",
      {
        ...selection,
        selectedAt: "2026-01-01T00:00:00.000Z",
        why: "they are back",
      },
    ],
  ]);
});

test("without --yes nothing is made where nobody can be asked", async () => {
  answers();

  const { code, stderr } = await ran("replay", "create", "--endpoint", "ep_1");

  expect(code).toBe(2);
  expect(stderr).toContain("The same command with --yes");
  expect(asked()).toHaveLength(1);
});

test("what has no delivery to be sent again is told, with what to do, also where nothing else is selected", async () => {
  const withoutDelivery = { invalid: 2, unreadable: 1 };
  const line =
    "3 dead letters more have no delivery that could be sent again: 2 invalid, 1 unreadable. Their events are to be published again; which ones: npx postrider dead-letters list --reason invalid,unreadable";

  answers({ ...PREVIEW, withoutDelivery, endpointCount: 22 });
  const some = await ran("replay", "create", "--yes");
  answers({ ...PREVIEW, withoutDelivery, total: 0, toSend: 0, endpoints: [] });
  const none = await ran("replay", "create", "--yes");

  expect(some.stderr).toContain(`\n${line}\n`);
  expect(some.stderr).toContain("… and 21 endpoints more\n");
  expect(none.stderr).toContain(`\n${line}\n`);
  expect(none.stdout).toBe("Nothing to send.\n");
});

test("that a window begins before what can be selected is told in a line", async () => {
  answers({ ...PREVIEW, wholeSince: "2025-12-25T00:00:00.000Z" });

  const { stderr } = await ran("replay", "backfill", "ep_1", "--since", "29d");

  expect(stderr).toContain(
    "\nNothing of before 2025-12-25T00:00:00.000Z is selected: ClickHouse drops what came in then, or has begun to.\n",
  );
});

test("an older control's preview tells neither, and is shown", async () => {
  const { wholeSince: _, withoutDelivery: __, ...older } = PREVIEW;
  answers(older);

  const { stderr } = await ran("replay", "create", "--yes");

  expect(stderr).toContain("would be sent again");
  expect(stderr).not.toContain("undefined");
});

test("what a backfill sends was not sent before, and it does not say so", async () => {
  answers({ ...PREVIEW, kind: "backfill" });

  const { stderr } = await ran("replay", "backfill", "ep_1", "--since", "6h");

  expect(stderr).toContain("2 deliveries would be sent, to 1 endpoint.");
  expect(stderr).toContain("2 deliveries would be sent, which cannot be");
  expect(stderr).not.toContain("again");
});

test("nothing is made where nothing would be sent", async () => {
  answers({ ...PREVIEW, toSend: 0 });

  const { code, stdout } = await ran("replay", "create", "--yes");

  expect([code, stdout]).toEqual([0, "Nothing to send.\n"]);
  expect(asked()).toHaveLength(1);
});

test.each([
  [
    ["deliveries", "redrive", "dlv_1"],
    { deliveryIds: ["dlv_1"], statuses: ["expired"] },
  ],
  [
    ["deliveries", "redrive", "dlv_1", "--delivered"],
    { deliveryIds: ["dlv_1"], statuses: ["expired", "delivered"] },
  ],
  [
    ["replay", "backfill", "ep_1", "--since", "2025-12-31T00:00:00Z"],
    {
      kind: "backfill",
      endpointId: "ep_1",
      receivedSince: Date.UTC(2025, 11, 31),
    },
  ],
  [
    ["dead-letters", "redrive", "--reason", "blocked", "--endpoint", "ep_1"],
    { reasons: ["blocked"], endpointId: "ep_1" },
  ],
  [
    "dead-letters redrive --since 2025-12-31T00:00:00Z --until 2026-01-01T00:00:00Z".split(
      " ",
    ),
    { deadSince: Date.UTC(2025, 11, 31), deadUntil: Date.UTC(2026, 0, 1) },
  ],
  [
    "replay create --dead-since 2025-12-31T00:00:00Z --dead-until 2026-01-01T00:00:00Z --until 2026-01-01T00:00:00Z".split(
      " ",
    ),
    {
      deadSince: Date.UTC(2025, 11, 31),
      deadUntil: Date.UTC(2026, 0, 1),
      receivedUntil: Date.UTC(2026, 0, 1),
    },
  ],
  [
    [
      "dead-letters",
      "redrive",
      "--reason",
      "gone,blocked",
      "--reason",
      "exhausted",
    ],
    { reasons: ["gone", "blocked", "exhausted"] },
  ],
])("%j is a shorthand", async (args, selection) => {
  answers();

  const { code, stdout } = await ran(...args, "--yes", "--json");

  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ replay: { id: "rpl_1" } });
  expect(asked()[0]).toEqual(["POST /v1/replays/preview", selection]);
});

test.each(["pause", "resume", "cancel"])("replay %s", async (action) => {
  answers();

  const { code } = await ran("replay", action, "rpl_1", "--why", "too fast");

  expect(code).toBe(0);
  expect(asked()).toEqual([
    [`POST /v1/replays/rpl_1/${action}`, { why: "too fast" }],
  ]);
});

test("replay list shows one a line, in the forms and with filters of every list, and get all of one", async () => {
  fake.answer = ({ line }) => [
    200,
    line.startsWith("GET /v1/replays?")
      ? { replays: [REPLAY], nextCursor: "next", truncated: true }
      : REPLAY,
  ];

  const list = await ran(
    ..."replay list --state running,paused --by key_1 --tenant acme --since 6h --limit 1".split(
      " ",
    ),
  );
  const json = await ran("replay", "list", "--json", "--limit", "1");
  const csv = await ran("replay", "list", "--csv", "--limit", "1");
  const one = await ran("replay", "get", "rpl_1");

  expect(fake.asked[0]?.line).toBe(
    "GET /v1/replays?state=running%2Cpaused&createdBy=key_1&tenantId=acme&since=6h&limit=1",
  );
  expect(list.stdout).toMatch(/rpl_1 .*running +0\/3 +0 .*they are back/);
  expect(list.stderr).toContain("--cursor next");
  expect(JSON.parse(json.stdout)).toEqual({
    replays: [REPLAY],
    nextCursor: "next",
  });
  expect(csv.stdout).toMatch(/^id,state,detail,selection,/);
  expect(one.stdout).toContain("endpointId: ep_1");
});

test.each([
  [["--reason", "paused"], "npx postrider endpoints resume ID"],
  [["--reason", "exhausted,paused"], "npx postrider endpoints resume ID"],
  [["--reason", "exhausted,bad"], "must be one of"],
  [["--reason", ","], "list separated by commas"],
  [["--status", "failed"], "must be one of"],
  [["--since", "tomorrow"], "It must be a time (RFC 3339), such as"],
])("replay create %j is a usage error", async (flags, text) => {
  const { code, stderr } = await ran("replay", "create", ...flags);

  expect(code).toBe(2);
  expect(stderr).toContain(text);
});
