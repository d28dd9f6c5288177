/** The command as a whole: its exit codes, what it says of an error, and where it finds its stack. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  MISBEHAVIOUR_NAMES,
  MISBEHAVIOURS,
} from "@postrider/testkit/misbehaviours";
import { useFakeStack } from "../fixtures/fake-stack.ts";

const fake = useFakeStack();

test.each([
  ["receiver"],
  ["endpoints", "create", "--tenant", "a", "--url", "https://a.example"],
  ["publish", "--tenant", "a", "--type", "b", "--to", "https://a.example"],
])(
  "%j refuses a secret with something around it, and shows the form but not the secret",
  async (...args) => {
    const ran = await fake.postrider([
      ...args,
      "--secret",
      "v1,whsec_c2VjcmV0",
    ]);

    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("whsec_ and the base64 of 24 to 64 bytes");
    expect(ran.stdout + ran.stderr).not.toContain("c2VjcmV0");
  },
);

test.each([
  [[], 2],
  [["nope"], 2],
  [["query"], 2],
  [["start", "mailer"], 2],
  [["receiver", "--port", "x"], 2],
  [["receiver", "--secret", "whsec_%"], 2],
  [["receiver", "--behaviour", "polite"], 2],
  [["receiver", "--behaviour", "gone", "--status", "410"], 2],
  [["receiver", "--secret", "whpk_AAAA"], 2],
  [["endpoints", "rotate-secret", "ep_1", "--secret", "whpk_AAAA"], 2],
  [["endpoints", "rotate-secret", "ep_1", "--overlap", "24"], 2],
  [["endpoints", "rotate-secret", "ep_1", "--overlap", "40d"], 2],
  [["endpoints", "update", "ep_1", "--rate-limit", "1/h"], 2],
  [["endpoints", "update", "ep_1", "--signing", "jws"], 2],
  [["receiver", "--secret", "v1,whsec_c2hvcnQ="], 2],
  [["doctor", "address"], 2],
  [["doctor", "address", "nope"], 2],
  [["doctor", "address", "https://1.1.1.1/"], 0],
  [["doctor", "address", "https://127.0.0.1/"], 5],
  [["doctor", "address", "http://1.1.1.1/"], 5],
  [["doctor", "address", `https://${"a".repeat(64)}.example.com/`], 3],
  [["endpoints", "create", "--tenant", "a", "--url", "nope"], 2],
  [["publish", "--tenant", "a", "--type", "b", "--payload", "nope"], 2],
  [["publish", "--ndjson", "/no/such/file"], 2],
  [["query", "SELECT 1"], 3],
  [["status"], 3],
  [["start", "dispatcher"], 3],
  [["topics", "plan"], 3],
  [["--help"], 0],
  [["--version"], 0],
])("%j without a stack exits with %i", async (args, code) => {
  expect((await fake.postrider(args)).code).toBe(code);
});

test("doctor address judges by the settings of its environment, and refuses those that no service would start with", async () => {
  const judged = await fake.postrider(
    ["doctor", "address", "http://127.0.0.1/", "--json"],
    {
      env: {
        POSTRIDER_ALLOW_HTTP: "true",
        POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
        POSTRIDER_DENY_CIDRS: "127.0.0.1",
      },
    },
  );
  const unreadable = await fake.postrider(
    ["doctor", "address", "https://1.1.1.1/"],
    { env: { POSTRIDER_DENY_CIDRS: "internal" } },
  );

  expect(judged.code).toBe(5);
  expect(JSON.parse(judged.stdout)).toMatchObject({
    verdict: "refused",
    addresses: [{ address: "127.0.0.1", rule: "denied_cidr" }],
    settings: [
      { variable: "POSTRIDER_ALLOW_HTTP", value: "true", from: "environment" },
      { variable: "POSTRIDER_ALLOW_CIDRS", value: "127.0.0.0/8" },
      { variable: "POSTRIDER_DENY_CIDRS", value: "127.0.0.1" },
    ],
  });
  expect(unreadable.code).toBe(2);
  expect(unreadable.stderr).toContain("POSTRIDER_DENY_CIDRS");
});

test("an unknown behaviour of a receiver is refused, and help names and explains each", async () => {
  const refused = await fake.postrider(["receiver", "--behaviour", "polite"]);
  const help = await fake.postrider(["receiver", "--help"]);

  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("postrider receiver --help");
  for (const name of MISBEHAVIOUR_NAMES) {
    expect(help.stdout).toContain(`  ${name} `);
    expect(help.stdout).toContain(`${MISBEHAVIOURS[name].does} → `);
  }
});

test("without a stack it says what is missing and how to start one, on stderr alone", async () => {
  const ran = await fake.postrider(["query", "SELECT 1"]);

  expect(ran.stdout).toBe("");
  expect(ran.stderr).toContain("No running stack was found");
  expect(ran.stderr).toContain("npx postrider dev");
  expect(ran.stderr).toContain(
    "or set POSTRIDER_CONTROL_URL, POSTRIDER_INGEST_URL and POSTRIDER_ADMIN_KEY (docs/operations.md, The command)",
  );
});

test("with --json an error is one line of JSON on stderr", async () => {
  const ran = await fake.postrider(["status", "--json"]);

  expect(JSON.parse(ran.stderr)).toMatchObject({
    error: "No running stack was found.",
    next: expect.stringContaining("Start one with: npx postrider dev"),
    exitCode: 3,
  });
});

test("under another Node it prints which Node is needed and how to get it", async () => {
  const disguise = join(fake.cwd, "old-node.cjs");
  writeFileSync(
    disguise,
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });',
  );

  const ran = await fake.postrider(["--version"], {
    node: ["--require", disguise],
  });

  expect(ran).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/needs Node 24 .* 20\.20\.2.*npx postrider/),
  });
});

test.each([
  [400, 5],
  [401, 5],
  [409, 5],
  [412, 5],
  [500, 1],
  [503, 3],
])(
  "an answer %i exits with %i and says the problem's fields",
  async (status, code) => {
    fake.answer = () => [
      status,
      {
        title: "The request breaks a rule",
        detail: "two fields",
        errors: [{ field: "url", rule: "https", message: "must be https" }],
      },
    ];

    const ran = await fake.postrider(["endpoints", "get", "ep_1"], {
      env: fake.env(),
    });

    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(`The request breaks a rule (${status}).`);
    expect(ran.stderr).toContain("url: must be https");
  },
);

test("a write that reaches a replica that may not write is sent again", async () => {
  let left = 2;
  fake.answer = ({ line }) =>
    line.startsWith("DELETE") && left-- > 0
      ? [
          503,
          {
            type: "urn:postrider:problem:not-owner",
            title: "This replica may not write now",
          },
        ]
      : [200, {}];

  const ran = await fake.postrider(["endpoints", "delete", "ep_1"], {
    env: fake.env(),
  });

  expect(ran.stderr).not.toContain("may not write");
  const writes = fake.asked.filter(({ line }) => line.startsWith("DELETE"));
  expect(writes).toHaveLength(3);
});

test("what does not exist is said once, with the next command", async () => {
  fake.answer = () => [
    404,
    {
      title: "There is no such thing",
      detail: "There is no endpoint ep_1.",
      errors: [{ field: "id", rule: "exists", message: "is not an endpoint" }],
    },
  ];

  const ran = await fake.postrider(["endpoints", "get", "ep_1"], {
    env: fake.env(),
  });

  expect(ran.code).toBe(4);
  expect(ran.stderr).toBe(
    "error: There is no endpoint ep_1.\n  next: npx postrider endpoints list\n",
  );
});

test("an address where nobody listens exits with 3", async () => {
  const ran = await fake.postrider(["query", "SELECT 1"], {
    env: {
      POSTRIDER_CONTROL_URL: "http://127.0.0.1:1",
      POSTRIDER_ADMIN_KEY: "k",
    },
  });

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("http://127.0.0.1:1 cannot be reached");
});

test.each([
  [["topics", "plan"], { KAFKA_BROKERS: "banana" }, ["KAFKA_BROKERS must be"]],
  [["migrate"], { CLICKHOUSE_URL: "banana" }, ["CLICKHOUSE_URL must be"]],
  [
    ["start", "dispatcher"],
    { KAFKA_BROKERS: "banana", POSTRIDER_ADMIN_PORT: "99999" },
    ["KAFKA_BROKERS must be", "POSTRIDER_ADMIN_PORT must be"],
  ],
])(
  "%j with %j exits with 2 and names every bad variable",
  async (args, env, named) => {
    const ran = await fake.postrider(args, { env });

    expect(ran.code).toBe(2);
    for (const text of named) expect(ran.stderr).toContain(text);
  },
);

test("what a cluster needs is printed without a ClickHouse", async () => {
  const ran = await fake.postrider([
    "migrate",
    "--print",
    "--all",
    "--cluster",
    "main",
  ]);

  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  expect(ran.stdout).toContain(
    "CREATE DATABASE IF NOT EXISTS postrider ON CLUSTER 'main';",
  );
});

test.each([
  [["migrate", "--all"], "--all is for --print."],
  [
    ["migrate", "--print", "--all", "--cluster", "a b"],
    "POSTRIDER_CLICKHOUSE_CLUSTER must be a cluster's name",
  ],
])("%j exits with 2 and says why", async (args, why) => {
  const ran = await fake.postrider(args);

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(why);
});

test.each([
  [".", "/v1/events/%2E"],
  ["..", "/v1/events/%2E%2E"],
  ["%2e", "/v1/events/%252e"],
  ["../status", "/v1/events/..%2Fstatus"],
  ["a/b?c#d", "/v1/events/a%2Fb%3Fc%23d"],
])("the id %s stays one part of the path", async (id, path) => {
  fake.answer = () => [404, { title: "There is no such thing" }];

  const ran = await fake.postrider(["events", "get", id], { env: fake.env() });

  expect(ran.code).toBe(4);
  expect(fake.asked.map(({ line }) => line)).toEqual([`GET ${path}`]);
});

test.each(["sql: must be one statement", "sql must be one statement"])(
  "the reason why a query is refused is printed once (%s)",
  async (detail) => {
    fake.answer = () => [
      400,
      {
        title: "The query is not one that may be asked here",
        detail,
        errors: [
          {
            field: "sql",
            rule: "one_statement",
            message: "must be one statement",
          },
        ],
      },
    ];

    const ran = await fake.postrider(["query", "SELECT 1; SELECT 2"], {
      env: fake.env(),
    });

    expect(ran.code).toBe(5);
    expect(ran.stderr.match(/must be one statement/g)).toHaveLength(1);
  },
);

test.each([
  ["publish", "--tenant", "acme", "--type", "a", "--payload", "{}"],
  ["query", "SELECT 1"],
  ["endpoints", "list"],
  ["events", "get", "e1"],
])("%s says which answer it could not read", async (...args) => {
  fake.answer = () => [200, "<html>hello</html>"];

  const ran = await fake.postrider(args, { env: fake.env() });

  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "was answered 200 with something else than JSON",
  );
  expect(ran.stderr).toContain("<html>hello</html>");
});

test.each(["demo", "dev"])(
  "%s without Java exits with 3 and the command that installs it",
  async (name) => {
    const env = { POSTRIDER_STACK: "local", JAVA_HOME: "/no/java" };

    const ran = await fake.postrider([name], { env });

    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("next: apt install openjdk-17-jre-headless");
    expect(ran.stdout + ran.stderr).not.toContain("POSTRIDER_DEBUG");
  },
);
