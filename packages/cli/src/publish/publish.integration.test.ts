/** `publish` and `events get`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  useFakeStack,
  type Answer,
  type Asked,
} from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

test("a payload from stdin goes to the door byte for byte", async () => {
  fake.answer = () => [202, { events: [{ id: "e1", tenantId: "acme" }] }];
  const payload = '{"n":12345678901234567890, "n":1.0,"ü":"\\u00e9"}';

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "order.paid", "--id", "e1"],
    { env: fake.env(), input: `${payload}\n` },
  );

  expect(ran).toMatchObject({ code: 0, stdout: "e1\n" });
  expect(fake.asked[0]?.body).toBe(
    `{"id":"e1","type":"order.paid","tenantId":"acme","payload":${payload}}`,
  );
});

const LATIN_1 = Buffer.from('{"name":"caf\u00e9"}\n', "latin1");
const single = ["--tenant", "acme", "--type", "order.paid"];

test.each([
  ["--file", [...single, "--file", "latin1.json"], ""],
  ["standard input", single, LATIN_1],
  ["--ndjson", ["--ndjson", "latin1.json"], ""],
  ["--ndjson of standard input", ["--ndjson", "-"], LATIN_1],
])(
  "bytes of %s that are not UTF-8 are refused by line and byte, and nothing is sent",
  async (_, args, input) => {
    writeFileSync(join(fake.cwd, "latin1.json"), LATIN_1);
    fake.answer = () => [202, { events: [{ id: "e1", tenantId: "acme" }] }];

    const ran = await fake.postrider(["publish", ...args], {
      env: fake.env(),
      input,
    });

    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("is not UTF-8");
    expect(ran.stderr).toContain("Line 1, byte 13");
    expect(fake.asked).toEqual([]);
  },
);

/** A door that accepts a batch unless it contains an event without a type. */
const doorWithTypes = ({ body }: Asked): Answer => {
  const { events } = JSON.parse(body) as {
    events: { id: string; type?: string }[];
  };
  const at = events.findIndex(({ type }) => type === undefined);
  if (at < 0) return [202, { events }];
  const problem = { field: `events[${at}].type`, rule: "required" };
  return [
    400,
    {
      title: "The request breaks a rule",
      detail: `events[${at}].type: is required`,
      errors: [{ ...problem, message: "is required" }],
    },
  ];
};

const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

test("a refusal of what an option gave names the option", async () => {
  fake.answer = () => [
    400,
    {
      title: "The event is invalid",
      detail: "destination.url: the scheme must be https; http is not allowed",
      errors: [
        {
          field: "destination.url",
          rule: "scheme",
          message: "the scheme must be https; http is not allowed",
        },
      ],
    },
  ];

  const to = ["--to", "http://example.com/", "--secret", SECRET];

  const ran = await fake.postrider(
    ["publish", ...single, "--payload", "1", ...to],
    { env: fake.env() },
  );

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("why:  --to: the scheme must be https");
  expect(ran.stderr).not.toContain("destination.url");
});

test("a refused line is named by its line in the file, with what is published and how to go on", async () => {
  fake.answer = doorWithTypes;
  const lines = Array.from({ length: 250 }, (_, at) =>
    JSON.stringify({ id: `e${at}`, ...(at === 150 ? {} : { type: "a" }) }),
  );
  lines.splice(10, 0, "", ""); // blank lines count in the numbering
  writeFileSync(join(fake.cwd, "many events.ndjson"), lines.join("\n"));
  const args = ["publish", "--ndjson", "many events.ndjson"];

  const ran = await fake.postrider(args, { env: fake.env() });
  const json = await fake.postrider([...args, "--json"], { env: fake.env() });

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("line 153: type: is required");
  expect(ran.stderr).not.toContain("events[");
  expect(ran.stderr).toContain("100 events, lines 1 to 102");
  expect(ran.stderr).toContain(
    "npx postrider publish --ndjson 'many events.ndjson' --from-line 103",
  );
  expect(JSON.parse(json.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject(
    {
      acknowledged: 100,
      fromLine: 103,
    },
  );
});

test("--from-line publishes from that line of the file on", async () => {
  fake.answer = doorWithTypes;
  const lines = ["a", "b", "c"].map((id) => `{"id":"${id}","type":"t"}`);
  const input = lines.join("\n\n");

  const ran = await fake.postrider(
    ["publish", "--ndjson", "-", "--from-line", "3"],
    { env: fake.env(), input },
  );
  const beyond = await fake.postrider(
    ["publish", "--ndjson", "-", "--from-line", "9"],
    { env: fake.env(), input },
  );

  expect(ran).toMatchObject({ code: 0, stdout: "b\nc\n" });
  expect(beyond.code).toBe(2);
});

test("when the door fails to answer, it is left open whether a batch was published", async () => {
  fake.answer = () => [503, { title: "Kafka has not acknowledged the events" }];

  const ran = await fake.postrider(["publish", "--ndjson", "-"], {
    env: fake.env(),
    input: '{"id":"a","type":"t"}\n{"id":"b","type":"t"}',
  });

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("whether lines 1 to 2 are is not known");
});

test.each([
  ["HTML", 200, "<html>hello</html>"],
  ["null", 200, "null"],
  ["nothing", 204, ""],
  ["an object without events", 202, "{}"],
  ["half an answer", 202, '{"events":['],
])(
  "when a 2xx of the door is %s, it is left open whether the batch was published",
  async (_what, status, body) => {
    fake.answer = (one) =>
      fake.asked.length === 1 ? doorWithTypes(one) : [status, body];
    const lines = Array.from({ length: 150 }, (_, at) =>
      JSON.stringify({ id: `e${at}`, type: "a" }),
    );
    const args = ["publish", "--ndjson", "-", "--json"];

    const ran = await fake.postrider(args, {
      env: fake.env(),
      input: lines.join("\n"),
    });

    expect(ran.code).toBe(1);
    const told = JSON.parse(ran.stderr.trim().split("\n").at(-1) ?? "");
    expect(told).toMatchObject({ acknowledged: 100, fromLine: 101 });
    expect(told.why).toContain("whether lines 101 to 150 are is not known");
    expect(told.next).toContain("--from-line 101");
  },
);

test.each([301, 408, 429])(
  "after a %i no line is called wrong",
  async (status) => {
    fake.answer = () => [status, {}];

    const ran = await fake.postrider(["publish", "--ndjson", "-"], {
      env: fake.env(),
      input: '{"id":"a","type":"t"}',
    });

    expect(ran.code).toBe(5);
    expect(ran.stderr).not.toContain("Mend the line");
    expect(ran.stderr).toContain("Go on: npx postrider publish --ndjson -");
  },
);

test("NDJSON is published in batches, each line as it stands", async () => {
  fake.answer = ({ body }) => [
    202,
    { events: (JSON.parse(body) as { events: { id: string }[] }).events },
  ];
  const lines = Array.from(
    { length: 250 },
    (_, at) => `{"id":"e${at}",  "payload":1e2}`,
  );

  const ran = await fake.postrider(["publish", "--ndjson", "-", "--json"], {
    env: fake.env(),
    input: lines.join("\n"),
  });

  expect(JSON.parse(ran.stdout).events).toHaveLength(250);
  expect(fake.asked).toHaveLength(3);
  const mixed = await fake.postrider(
    ["publish", "--ndjson", "-", "--tenant", "acme"],
    { env: fake.env(), input: lines.join("\n") },
  );
  expect(mixed.code).toBe(2);
  expect(fake.asked[0]?.body).toContain('{"id":"e0",  "payload":1e2}');
});

test("publish --wait goes on until the delivery is over, and exits with 0 only if it was delivered", async () => {
  const views = ["pending", "failed", "expired"].map(eventView);
  fake.answer = ({ line }) => {
    if (line.startsWith("POST /v1/events"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    if (line.startsWith("POST /v1/query")) return [200, { rows: [[0, 0]] }];
    const reads = fake.asked.length - 3;
    return reads < 1 ? [404, {}] : [200, views[Math.min(reads - 1, 2)]];
  };

  const ran = await fake.postrider(
    [
      "publish",
      "--tenant",
      "acme",
      "--type",
      "a",
      "--id",
      "e1",
      "--payload",
      "1",
      "--wait",
      "--json",
    ],
    { env: fake.env() },
  );

  expect(ran.code).toBe(1);
  expect(fake.asked.at(-1)?.line).toBe("GET /v1/events/e1?tenantId=acme");
  expect(JSON.parse(ran.stdout).events[0].deliveries[0].status).toBe("expired");
});

test("publish --wait shows each change on stderr, and ends with 0 when all is delivered", async () => {
  fake.answer = ({ line }) =>
    line.startsWith("POST /v1/events")
      ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
      : line.startsWith("POST")
        ? [200, { rows: [[0, 0]] }]
        : [200, eventView(fake.asked.length < 5 ? "failed" : "delivered")];

  const ran = await fake.postrider(
    [
      "publish",
      "--tenant",
      "acme",
      "--type",
      "a",
      "--id",
      "e1",
      "--payload",
      "1",
      "--wait",
    ],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain("ep_1 failed");
  expect(ran.stderr).toContain("ep_1 delivered");
  expect(ran.stdout).toContain("dlv_1 → ep_1  delivered");
});

test("publish --wait says after a second that the event is not recorded yet", async () => {
  let reads = 0;
  fake.answer = ({ line }) => {
    if (line.startsWith("POST"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    reads += 1;
    // Polls are a quarter of a second apart, so the quiet second is over before the last of these.
    return reads <= 6 ? [404, {}] : [200, eventView("delivered")];
  };

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stderr).toBe(
    "published; waiting until it is recorded\nep_1 delivered\n",
  );
});

test("publish --wait ends with 1 when the delivery is parked, and prints how to resume", async () => {
  const { deliveries, ...event } = eventView("pending") as {
    deliveries: object[];
  };
  fake.answer = ({ line }) =>
    line.startsWith("POST")
      ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
      : [
          200,
          {
            ...event,
            deliveries: deliveries.map((delivery) => ({
              ...delivery,
              deadLetterReason: "paused",
            })),
          },
        ];

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("pending (paused)");
  expect(ran.stderr).toContain("npx postrider endpoints resume ep_1");
});

test.each([
  ["without an endpoint", [], "endpoints create --tenant acme --types a --url"],
  [
    "with a disabled endpoint for another type",
    [{ eventTypes: ["a.*"], state: "disabled" }],
    "endpoints create --tenant acme --types a --url",
  ],
  [
    "with disabled endpoints alone",
    [
      { eventTypes: ["b"], state: "enabled" },
      { eventTypes: ["*"], state: "disabled" },
    ],
    "the endpoints of tenant acme that take a are disabled. Enable one: npx postrider endpoints list --tenant acme, then npx postrider endpoints enable ID",
  ],
])(
  "publish --wait %s exits with 1 and says how the tenant gets one",
  async (_, endpoints, advice) => {
    fake.answer = ({ line }) => {
      if (line.startsWith("POST"))
        return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
      return line.startsWith("GET /v1/endpoints?limit=1000&tenantId=acme")
        ? [200, { endpoints }]
        : [
            200,
            {
              ...(eventView("") as object),
              decision: "no_match",
              deliveries: [],
            },
          ];
    };

    const ran = await fake.postrider(
      [
        "publish",
        "--tenant",
        "acme",
        "--type",
        "a",
        "--payload",
        "1",
        "--wait",
      ],
      { env: fake.env() },
    );

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(advice);
  },
);

test("publish --wait ends with 1 when filters leave the event out, and names the command that says which", async () => {
  fake.answer = ({ line }) =>
    line.startsWith("POST")
      ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
      : [
          200,
          {
            ...(eventView("") as object),
            decision: "filtered",
            deliveries: [],
          },
        ];

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "Nobody got it: filters of endpoints left it out. Which, and why: npx postrider events explain e1 --tenant acme\n",
  );
});

test.each([
  ["2126-01-01T00:00:05.000Z", "next attempt 2126-01-01T00:00:05.000Z"],
  [
    "2026-01-01T00:00:05.000Z",
    "next attempt was due 2026-01-01T00:00:05.000Z; it is under way, or waits again",
  ],
])(
  "events get says why a delivery waits, and until when (%s)",
  async (nextAttemptAt, said) => {
    const { deliveries, ...event } = eventView("pending") as {
      deliveries: object[];
    };
    const waiting = { nextAttemptAt, deferralReason: "breaker_open" };
    fake.answer = () => [
      200,
      { ...event, deliveries: [{ ...deliveries[0], ...waiting }] },
    ];

    const ran = await fake.postrider(["events", "get", "e1"], {
      env: fake.env(),
    });

    expect(ran.stdout).toContain(`pending (breaker_open)  ${said}\n`);
  },
);

test("events get shows which attempts a redrive has made", async () => {
  const { deliveries, ...event } = eventView("delivered") as {
    deliveries: object[];
  };
  const attempt = {
    startedAt: "2026-01-01T00:00:01.000Z",
    outcome: "delivered",
    statusCode: 200,
    durationMs: 7,
    error: null,
  };
  const attempts = [
    { ...attempt, attemptNumber: 1, trigger: "first" },
    { ...attempt, attemptNumber: 2, trigger: "redrive" },
  ];
  fake.answer = () => [
    200,
    { ...event, deliveries: [{ ...deliveries[0], attempts }] },
  ];

  const ran = await fake.postrider(["events", "get", "e1"], {
    env: fake.env(),
  });

  expect(ran.stdout).toContain(
    "    1  2026-01-01T00:00:01.000Z  delivered 200  7 ms\n" +
      "    2  2026-01-01T00:00:01.000Z  delivered 200  7 ms  redrive\n",
  );
});

test("publish --wait shows why a delivery waits, and until when", async () => {
  const { deliveries, ...event } = eventView("pending") as {
    deliveries: object[];
  };
  const waiting = {
    nextAttemptAt: "2126-01-01T00:00:05.000Z",
    deferralReason: "breaker_open",
  };
  let reads = 0;
  fake.answer = ({ line }) => {
    if (line.startsWith("POST"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    reads += 1;
    return reads > 1
      ? [200, eventView("delivered")]
      : [200, { ...event, deliveries: [{ ...deliveries[0], ...waiting }] }];
  };

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stderr).toBe(
    "ep_1 pending, put off (breaker_open) until 2126-01-01T00:00:05.000Z\nep_1 delivered\n",
  );
});

const FORBIDDEN = { title: "The key may not do this" };

test.each([[[]], [["--id", "e1"]]])(
  "publish --wait %j with a key that may not read publishes, prints the id, and exits as refused",
  async (more) => {
    fake.answer = ({ line }) =>
      line.startsWith("POST /v1/events")
        ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
        : [403, FORBIDDEN];
    const args = ["publish", ...single, "--payload", "1", "--wait", ...more];

    const ran = await fake.postrider(args, { env: fake.env() });
    const json = await fake.postrider([...args, "--json"], { env: fake.env() });

    expect([ran.code, ran.stdout]).toEqual([5, "e1\n"]);
    expect(ran.stderr).toContain(
      "Published, but this key may not read what became of it.",
    );
    expect(ran.stderr).toContain("npx postrider events get e1 --tenant acme");
    expect(JSON.parse(json.stdout)).toEqual({
      events: [{ id: "e1", tenantId: "acme" }],
    });
    expect(JSON.parse(json.stderr)).toMatchObject({ exitCode: 5 });
  },
);

test("publish --wait --id with a tenant's key says that a repeat would not be told", async () => {
  fake.answer = ({ line }) => {
    if (line.startsWith("POST /v1/events"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    return line.startsWith("POST /v1/query")
      ? [403, FORBIDDEN]
      : [200, eventView("delivered")];
  };

  const ran = await fake.postrider(
    ["publish", ...single, "--payload", "1", "--wait", "--id", "e1"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain("Whether e1 was published before is not known");
});

test("an empty payload is reported as empty", async () => {
  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a"],
    {
      env: fake.env(),
    },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("The payload is empty");
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "a wait that %s interrupts exits with 130",
  async (signal) => {
    fake.answer = ({ line }) =>
      line.startsWith("POST")
        ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
        : (fake.signal(signal), [404, {}]);

    const ran = await fake.postrider(
      [
        "publish",
        "--tenant",
        "acme",
        "--type",
        "a",
        "--payload",
        "1",
        "--wait",
      ],
      { env: fake.env() },
    );

    expect(ran.code).toBe(130);
  },
);

function eventView(status: string): unknown {
  return {
    id: "e1",
    type: "a",
    tenantId: "acme",
    occurredAt: null,
    receivedAt: "2026-01-01T00:00:00.000Z",
    decision: "routed",
    reason: null,
    deliveries: [
      {
        id: "dlv_1",
        endpointId: "ep_1",
        status,
        attempts: [],
        nextAttemptAt: null,
      },
    ],
  };
}
