/** Runs the real command against a server that answers like control and ingest. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  test,
} from "@jest/globals";
import {
  MISBEHAVIOUR_NAMES,
  MISBEHAVIOURS,
} from "@postrider/testkit/misbehaviours";

const bin = fileURLToPath(new URL("../bin/postrider.js", import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), "postrider-cli-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Asked {
  readonly line: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}
type Answer = readonly [status: number, body: unknown];

let server: Server;
let address = "";
let asked: Asked[] = [];
let answer: (asked: Asked) => Answer = () => [404, {}];
beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = {
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body,
      };
      asked.push(one);
      const [status, reply] = answer(one);
      response.writeHead(status, { connection: "close" });
      response.end(typeof reply === "string" ? reply : JSON.stringify(reply));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  address = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
});
let child: ReturnType<typeof spawn> | undefined;
afterEach(() => void child?.kill("SIGKILL"));

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function postrider(
  args: readonly string[],
  more: {
    env?: Record<string, string>;
    input?: string | Buffer;
    node?: string[];
  } = {},
): Promise<Ran> {
  const own = spawn(process.execPath, [...(more.node ?? []), bin, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...more.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child = own;
  own.stdin.end(more.input ?? "");
  const [stdout, stderr, [code]] = await Promise.all([
    text(own.stdout),
    text(own.stderr),
    once(own, "close"),
  ]);
  return { code: code as number | null, stdout, stderr };
}

const stack = () => ({
  POSTRIDER_CONTROL_URL: address,
  POSTRIDER_INGEST_URL: address,
  POSTRIDER_ADMIN_KEY: "k3y",
});

test.each([
  ["receiver"],
  ["endpoints", "create", "--tenant", "a", "--url", "https://a.example"],
  ["publish", "--tenant", "a", "--type", "b", "--to", "https://a.example"],
])(
  "%j refuses a secret with something around it, and shows the form but not the secret",
  async (...args) => {
    const ran = await postrider([...args, "--secret", "v1,whsec_c2VjcmV0"]);

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
  expect((await postrider(args)).code).toBe(code);
});

test("doctor address judges by the settings of its environment, and refuses those that no service would start with", async () => {
  const judged = await postrider(
    ["doctor", "address", "http://127.0.0.1/", "--json"],
    {
      env: {
        POSTRIDER_ALLOW_HTTP: "true",
        POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
        POSTRIDER_DENY_CIDRS: "127.0.0.1",
      },
    },
  );
  const unreadable = await postrider(
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

test("an unknown behaviour of a receiver is refused with the list of those that there are, and help explains each", async () => {
  const refused = await postrider(["receiver", "--behaviour", "polite"]);
  const help = await postrider(["receiver", "--help"]);

  for (const name of MISBEHAVIOUR_NAMES) {
    expect(refused.stderr).toContain(name);
    expect(help.stdout).toContain(`${MISBEHAVIOURS[name].does} → `);
  }
});

test("without a stack it says what is missing and how to start one, on stderr alone", async () => {
  const ran = await postrider(["query", "SELECT 1"]);

  expect(ran.stdout).toBe("");
  expect(ran.stderr).toContain("No running stack was found");
  expect(ran.stderr).toContain("npx postrider dev");
});

test("with --json an error is one line of JSON on stderr", async () => {
  const ran = await postrider(["status", "--json"]);

  expect(JSON.parse(ran.stderr)).toMatchObject({
    error: "No running stack was found.",
    next: "Start one with: npx postrider dev",
    exitCode: 3,
  });
});

test("under another Node it prints which Node is needed and how to get it", async () => {
  const disguise = join(cwd, "old-node.cjs");
  writeFileSync(
    disguise,
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });',
  );

  const ran = await postrider(["--version"], { node: ["--require", disguise] });

  expect(ran).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/needs Node 24 .* 20\.20\.2.*npx postrider/),
  });
});

test.each([
  [400, 5],
  [401, 5],
  [404, 4],
  [409, 5],
  [412, 5],
  [500, 1],
  [503, 3],
])(
  "an answer %i exits with %i and says the problem's fields",
  async (status, code) => {
    answer = () => [
      status,
      {
        title: "The request breaks a rule",
        detail: "two fields",
        errors: [{ field: "url", rule: "https", message: "must be https" }],
      },
    ];

    const ran = await postrider(["endpoints", "get", "ep_1"], { env: stack() });

    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(`The request breaks a rule (${status}).`);
    expect(ran.stderr).toContain("url: must be https");
  },
);

test("an address where nobody listens exits with 3", async () => {
  const ran = await postrider(["query", "SELECT 1"], {
    env: {
      POSTRIDER_CONTROL_URL: "http://127.0.0.1:1",
      POSTRIDER_ADMIN_KEY: "k",
    },
  });

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("http://127.0.0.1:1 cannot be reached");
});

test("an endpoint is created from the flags, and its secret is printed", async () => {
  answer = () => [201, { id: "ep_1", version: 1, secret: "whsec_x" }];

  const flags =
    "--json --tenant acme --url https://example.com/hooks/ --types order.*,user.created --header X-Team:red --timeout 5s --retry-delays 1s,5m";
  const ran = await postrider(["endpoints", "create", ...flags.split(" ")], {
    env: stack(),
  });

  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ secret: "whsec_x" });
  expect(asked[0]?.headers["authorization"]).toBe("Bearer k3y");
  expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
    tenantId: "acme",
    url: "https://example.com/hooks/",
    eventTypes: ["order.*", "user.created"],
    headers: { "X-Team": "red" },
    timeoutMs: 5_000,
    retryDelaysMs: [1_000, 300_000],
  });
});

test("an endpoint's policy is set from the flags, and set back to what is built in", async () => {
  answer = () => [200, { id: "ep_1", version: 1 }];

  const set =
    "--retry standard-webhooks --max-attempts 4 --max-age 72h --never-retry 400,422 --method PUT";
  const back =
    "--retry default --max-attempts default --max-age default --never-retry none --method POST";
  for (const flags of [set, back])
    await postrider(["endpoints", "update", "ep_1", ...flags.split(" ")], {
      env: stack(),
    });

  const bodies = asked
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

test.each([
  [["update", "ep_1", "--burst", "5"]],
  [["update", "ep_1", "--no-rate-limit", "--burst", "5"]],
  [["create", "--tenant", "a", "--url", "https://a.example", "--burst", "5"]],
])("endpoints %j without a rate says what a burst goes with", async (args) => {
  const ran = await postrider(["endpoints", ...args], { env: stack() });
  const asJson = await postrider(["endpoints", ...args, "--json"], {
    env: stack(),
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
  expect(asked).toEqual([]);
});

test.each([[[]], [["--if-version", "3"]]])(
  "an update with %j alone is refused, because nothing would change",
  async (args) => {
    const ran = await postrider(["endpoints", "update", "ep_1", ...args], {
      env: stack(),
    });

    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("error: Nothing to change was given.");
    expect(ran.stderr).toContain("endpoints update --help");
    expect(asked).toEqual([]);
  },
);

test("a secret of one's own and one that is to be made do not go together", async () => {
  const ran = await postrider(
    ["endpoints", "rotate-secret", "ep_1", "--secret", "hush", "--ed25519"],
    { env: stack() },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--secret does not go with --ed25519");
  expect(ran.stdout + ran.stderr).not.toContain("hush");
  expect(asked).toEqual([]);
});

test("a header without a value is refused with the form that it must have", async () => {
  const ran = await postrider(
    ["endpoints", "update", "ep_1", "--header", "foo"],
    { env: stack() },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--header foo: it must be name:value.");
  expect(ran.stderr).toContain('--header "x-team: billing"');
});

test("a change names the current version, unless one is given", async () => {
  answer = () => [200, { id: "ep_1", version: 7, eventTypes: [] }];

  await postrider(["endpoints", "update", "ep_1", "--disable"], {
    env: stack(),
  });
  await postrider(["endpoints", "delete", "ep_1", "--if-version", "3"], {
    env: stack(),
  });

  const [, patch, remove] = asked;
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
  answer = () => [201, { id: "ep_1", version: 1, secrets, secret: "whsk_x" }];
  const flags = "--tenant acme --url https://a.example";

  const ran = await postrider(
    ["endpoints", "create", ...flags.split(" "), "--ed25519"],
    { env: stack() },
  );
  const both = ["--signing", "standard,hmac-hex"];
  await postrider(
    ["endpoints", "update", "ep_1", ...both, "--if-version", "1"],
    {
      env: stack(),
    },
  );

  expect(ran.stdout).toContain("whsk_x");
  expect(ran.stderr).toContain("the public key: whpk_x");
  expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({
    secretType: "ed25519",
  });
  expect(JSON.parse(asked[1]?.body ?? "")).toEqual({
    signing: ["standard", "hmac-hex"],
  });
});

test("a rotation names the current version, and prints the new secret", async () => {
  answer = () => [200, { id: "ep_1", version: 7, secret: "whsec_new" }];
  const rotate = ["endpoints", "rotate-secret", "ep_1"];

  const ran = await postrider([...rotate, "--json"], { env: stack() });
  await postrider(
    [...rotate, "--secret", "hush", "--overlap", "0", "--if-version", "3"],
    { env: stack() },
  );

  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ secret: "whsec_new" });
  const [read, first, second] = asked;
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

test("an endpoint is paused and disabled with a reason, and resumed", async () => {
  answer = () => [200, { id: "ep_1", state: "paused", resume: null }];

  for (const line of [
    "pause ep_1 --reason moving",
    "disable ep_1 --if-version 3",
    "resume ep_1 --json",
  ]) {
    const ran = await postrider(["endpoints", ...line.split(" ")], {
      env: stack(),
    });
    expect(ran.code).toBe(0);
  }

  expect(asked.map(({ line, body }) => [line, body])).toEqual([
    ["POST /v1/endpoints/ep_1/pause", '{"reason":"moving"}'],
    ["POST /v1/endpoints/ep_1/disable", "{}"],
    ["POST /v1/endpoints/ep_1/resume", ""],
  ]);
  expect(asked[1]?.headers["if-match"]).toBe('"3"');
});

/** Answers like control, with these states of a resume one after the other; the last one stays. */
function answerResumes(...states: readonly Record<string, unknown>[]): void {
  let reads = 0;
  const at = (n: number) => ({
    id: "rsm_1",
    endpointId: "ep_1",
    detail: null,
    read: 1,
    total: 4,
    sent: 1,
    ...states[Math.min(n, states.length - 1)],
  });
  answer = ({ line }) =>
    line.startsWith("POST")
      ? [200, { id: "ep_1", state: "enabled", resume: at(0) }]
      : [200, at((reads += 1))];
}

test("a watched resume shows its progress, and ends with 0 when it is done", async () => {
  answerResumes(
    { state: "running" },
    { state: "running", read: 4, sent: 3 },
    { state: "done", read: 4, sent: 3 },
  );

  const ran = await postrider(["endpoints", "resume", "ep_1", "--watch"], {
    env: stack(),
  });

  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain("read 1 of 4 dead letters, sent 1 deliveries");
  expect(ran.stderr).toContain("waiting until no dispatcher parks any more");
  expect(ran.stdout).toMatch(/state +done/);
});

test.each([
  ["cancelled", { state: "cancelled", detail: "by hand" }, "by hand"],
  ["followed by another one", { state: "running", id: "rsm_2" }, "rsm_1"],
])("a watched resume that is %s ends with 1 and says so", async (...of) => {
  const [, state, why] = of;
  answerResumes({ state: "running" }, state);

  const ran = await postrider(
    ["endpoints", "resume", "ep_1", "--watch", "--json"],
    { env: stack() },
  );

  expect(ran.code).toBe(1);
  expect(ran.stdout + ran.stderr).toContain(why);
  expect(ran.stdout + ran.stderr).toContain("endpoints resume ep_1");
});

test("a resume is cancelled by its own request, and what that means is said", async () => {
  answerResumes({ state: "cancelled", detail: "by hand" });

  const ran = await postrider(["endpoints", "resume", "ep_1", "--cancel"], {
    env: stack(),
  });

  expect(ran.code).toBe(0);
  expect(asked.map(({ line }) => line)).toEqual([
    "DELETE /v1/endpoints/ep_1/resume",
  ]);
  expect(ran.stderr).toContain("stays parked until it is resumed again");
});

test("a list is read to its last page", async () => {
  answer = ({ line }) =>
    line.includes("cursor=next")
      ? [200, { endpoints: [{ id: "ep_2", eventTypes: [] }], nextCursor: null }]
      : [
          200,
          { endpoints: [{ id: "ep_1", eventTypes: [] }], nextCursor: "next" },
        ];

  const ran = await postrider(["endpoints", "list", "--json"], {
    env: stack(),
  });

  expect(JSON.parse(ran.stdout)).toMatchObject({
    endpoints: [{ id: "ep_1" }, { id: "ep_2" }],
  });
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
    const ran = await postrider(args, { env });

    expect(ran.code).toBe(2);
    for (const text of named) expect(ran.stderr).toContain(text);
  },
);

test("a query's 64-bit integers keep every digit, as a table and as JSON", async () => {
  const body =
    '{"columns":[{"name":"n","type":"UInt64"}],"rows":[[18446744073709551615]]}';
  answer = () => [200, body];

  const shown = await postrider(["query", "SELECT n"], { env: stack() });
  const json = await postrider(["query", "SELECT n", "--json"], {
    env: stack(),
  });

  expect(shown.stdout).toBe("n\n18446744073709551615\n");
  expect(json.stdout).toBe(`${body}\n`);
});

test("a payload from stdin goes to the door byte for byte", async () => {
  answer = () => [202, { events: [{ id: "e1", tenantId: "acme" }] }];
  const payload = '{"n":12345678901234567890, "n":1.0,"ü":"\\u00e9"}';

  const ran = await postrider(
    ["publish", "--tenant", "acme", "--type", "order.paid", "--id", "e1"],
    { env: stack(), input: `${payload}\n` },
  );

  expect(ran).toMatchObject({ code: 0, stdout: "e1\n" });
  expect(asked[0]?.body).toBe(
    `{"id":"e1","type":"order.paid","tenantId":"acme","payload":${payload}}`,
  );
});

test.each([
  [".", "/v1/events/%2E"],
  ["..", "/v1/events/%2E%2E"],
  ["%2e", "/v1/events/%252e"],
  ["../status", "/v1/events/..%2Fstatus"],
  ["a/b?c#d", "/v1/events/a%2Fb%3Fc%23d"],
])("the id %s stays one part of the path", async (id, path) => {
  answer = () => [404, { title: "There is no such thing" }];

  const ran = await postrider(["events", "get", id], { env: stack() });

  expect(ran.code).toBe(4);
  expect(asked.map(({ line }) => line)).toEqual([`GET ${path}`]);
});

test.each(["sql: must be one statement", "sql must be one statement"])(
  "the reason why a query is refused is printed once (%s)",
  async (detail) => {
    answer = () => [
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

    const ran = await postrider(["query", "SELECT 1; SELECT 2"], {
      env: stack(),
    });

    expect(ran.code).toBe(5);
    expect(ran.stderr.match(/must be one statement/g)).toHaveLength(1);
  },
);

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
    writeFileSync(join(cwd, "latin1.json"), LATIN_1);
    answer = () => [202, { events: [{ id: "e1", tenantId: "acme" }] }];

    const ran = await postrider(["publish", ...args], { env: stack(), input });

    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("is not UTF-8");
    expect(ran.stderr).toContain("Line 1, byte 13");
    expect(asked).toEqual([]);
  },
);

/** Runs the command in a shell, with its output redirected by `redirection`. */
async function inShell(
  command: string,
  redirection: string,
): Promise<Omit<Ran, "stdout">> {
  const own = spawn(
    "bash",
    [
      "-c",
      `${command} "$@" ${redirection}`,
      "sh",
      process.execPath,
      bin,
    ].concat("query", "SELECT n"),
    {
      cwd,
      env: { PATH: process.env["PATH"], ...stack() },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  child = own;
  const [stderr, [code]] = await Promise.all([
    text(own.stderr),
    once(own, "close"),
  ]);
  return { code: code as number | null, stderr };
}

const manyRows = {
  columns: [{ name: "n", type: "String" }],
  rows: Array.from({ length: 50_000 }, (_, at) => [`row ${at}`]),
};

test.each([
  ["a full device", "", "> /dev/full", "ENOSPC"],
  // A limit of one KiB stores the first part of a write and refuses the rest, like a disk that becomes full.
  [
    "a file that gets full",
    "trap '' XFSZ; ulimit -f 1;",
    "> full.txt",
    "EFBIG",
  ],
])(
  "output that goes to %s ends with 1, and says so",
  async (_, before, redirection, why) => {
    answer = () => [200, manyRows];

    const ran = await inShell(before, redirection);

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("error: The output cannot be written.");
    expect(ran.stderr).toContain(why);
  },
);

test("when the reader of its output goes away, the command ends quietly, as other tools do, and not with 0", async () => {
  answer = () => [200, manyRows];

  const ran = await inShell("set -o pipefail;", "| head -n 1 >/dev/null");

  expect(ran.code).toBe(141);
  expect(ran.stderr).not.toContain("error");
});

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

test("a refused line is named by its line in the file, with what is published and how to go on", async () => {
  answer = doorWithTypes;
  const lines = Array.from({ length: 250 }, (_, at) =>
    JSON.stringify({ id: `e${at}`, ...(at === 150 ? {} : { type: "a" }) }),
  );
  lines.splice(10, 0, "", ""); // blank lines count in the numbering
  writeFileSync(join(cwd, "many events.ndjson"), lines.join("\n"));
  const args = ["publish", "--ndjson", "many events.ndjson"];

  const ran = await postrider(args, { env: stack() });
  const json = await postrider([...args, "--json"], { env: stack() });

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
  answer = doorWithTypes;
  const lines = ["a", "b", "c"].map((id) => `{"id":"${id}","type":"t"}`);
  const input = lines.join("\n\n");

  const ran = await postrider(
    ["publish", "--ndjson", "-", "--from-line", "3"],
    { env: stack(), input },
  );
  const beyond = await postrider(
    ["publish", "--ndjson", "-", "--from-line", "9"],
    { env: stack(), input },
  );

  expect(ran).toMatchObject({ code: 0, stdout: "b\nc\n" });
  expect(beyond.code).toBe(2);
});

test("control characters of an answer do not reach the terminal", async () => {
  answer = () => [
    400,
    {
      title: "x\u001b[2Jx",
      detail: "\u001b]0;owned\u0007 d",
      errors: [{ field: "type", message: "m\u001b[31m\u009b" }],
    },
  ];

  const ran = await postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "{}"],
    { env: stack() },
  );

  expect(ran.stderr).toContain("xx (400)");
  expect(ran.stderr).toContain("\n        type: m");
  expect(ran.stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test("when the door fails to answer, it is left open whether a batch was published", async () => {
  answer = () => [503, { title: "Kafka has not acknowledged the events" }];

  const ran = await postrider(["publish", "--ndjson", "-"], {
    env: stack(),
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
    answer = (one) =>
      asked.length === 1 ? doorWithTypes(one) : [status, body];
    const lines = Array.from({ length: 150 }, (_, at) =>
      JSON.stringify({ id: `e${at}`, type: "a" }),
    );
    const args = ["publish", "--ndjson", "-", "--json"];

    const ran = await postrider(args, {
      env: stack(),
      input: lines.join("\n"),
    });

    expect(ran.code).toBe(1);
    const told = JSON.parse(ran.stderr.trim().split("\n").at(-1) ?? "");
    expect(told).toMatchObject({ acknowledged: 100, fromLine: 101 });
    expect(told.why).toContain("whether lines 101 to 150 are is not known");
    expect(told.next).toContain("--from-line 101");
  },
);

test.each([
  ["publish", "--tenant", "acme", "--type", "a", "--payload", "{}"],
  ["query", "SELECT 1"],
  ["endpoints", "list"],
  ["events", "get", "e1"],
])("%s says which answer it could not read", async (...args) => {
  answer = () => [200, "<html>hello</html>"];

  const ran = await postrider(args, { env: stack() });

  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "was answered 200 with something else than JSON",
  );
  expect(ran.stderr).toContain("<html>hello</html>");
});

test.each([301, 408, 429])(
  "after a %i no line is called wrong",
  async (status) => {
    answer = () => [status, {}];

    const ran = await postrider(["publish", "--ndjson", "-"], {
      env: stack(),
      input: '{"id":"a","type":"t"}',
    });

    expect(ran.code).toBe(5);
    expect(ran.stderr).not.toContain("Mend the line");
    expect(ran.stderr).toContain("Go on: npx postrider publish --ndjson -");
  },
);

test("NDJSON is published in batches, each line as it stands", async () => {
  answer = ({ body }) => [
    202,
    { events: (JSON.parse(body) as { events: { id: string }[] }).events },
  ];
  const lines = Array.from(
    { length: 250 },
    (_, at) => `{"id":"e${at}",  "payload":1e2}`,
  );

  const ran = await postrider(["publish", "--ndjson", "-", "--json"], {
    env: stack(),
    input: lines.join("\n"),
  });

  expect(JSON.parse(ran.stdout).events).toHaveLength(250);
  expect(asked).toHaveLength(3);
  const mixed = await postrider(
    ["publish", "--ndjson", "-", "--tenant", "acme"],
    { env: stack(), input: lines.join("\n") },
  );
  expect(mixed.code).toBe(2);
  expect(asked[0]?.body).toContain('{"id":"e0",  "payload":1e2}');
});

test("publish --wait goes on until the delivery is over, and exits with 0 only if it was delivered", async () => {
  const views = ["pending", "failed", "expired"].map(eventView);
  answer = ({ line }) => {
    if (line.startsWith("POST /v1/events"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    if (line.startsWith("POST /v1/query")) return [200, { rows: [[0, 0]] }];
    const reads = asked.length - 3;
    return reads < 1 ? [404, {}] : [200, views[Math.min(reads - 1, 2)]];
  };

  const ran = await postrider(
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
    { env: stack() },
  );

  expect(ran.code).toBe(1);
  expect(asked.at(-1)?.line).toBe("GET /v1/events/e1?tenantId=acme");
  expect(JSON.parse(ran.stdout).events[0].deliveries[0].status).toBe("expired");
});

test("publish --wait shows each change on stderr, and ends with 0 when all is delivered", async () => {
  answer = ({ line }) =>
    line.startsWith("POST /v1/events")
      ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
      : line.startsWith("POST")
        ? [200, { rows: [[0, 0]] }]
        : [200, eventView(asked.length < 5 ? "failed" : "delivered")];

  const ran = await postrider(
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
    { env: stack() },
  );

  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain("ep_1 failed");
  expect(ran.stderr).toContain("ep_1 delivered");
  expect(ran.stdout).toContain("dlv_1 → ep_1  delivered");
});

test("publish --wait says after a second that the event is not recorded yet", async () => {
  let reads = 0;
  answer = ({ line }) => {
    if (line.startsWith("POST"))
      return [202, { events: [{ id: "e1", tenantId: "acme" }] }];
    reads += 1;
    // Polls are a quarter of a second apart, so the quiet second is over before the last of these.
    return reads <= 6 ? [404, {}] : [200, eventView("delivered")];
  };

  const ran = await postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: stack() },
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
  answer = ({ line }) =>
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

  const ran = await postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "1", "--wait"],
    { env: stack() },
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
    answer = ({ line }) => {
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

    const ran = await postrider(
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
      { env: stack() },
    );

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(advice);
  },
);

test("when policy refuses an address, the command that says how to allow it is named", async () => {
  const errors = [{ field: "url", rule: "scheme", message: "https only" }];
  answer = () => [400, { title: "The request breaks a rule", errors }];

  const ran = await postrider(
    ["endpoints", "create", "--tenant", "acme", "--url", "http://a.example"],
    { env: stack() },
  );

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("postrider doctor address");
});

test("an empty payload is reported as empty", async () => {
  const ran = await postrider(["publish", "--tenant", "acme", "--type", "a"], {
    env: stack(),
  });

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("The payload is empty");
});

test.each(["demo", "dev"])(
  "%s without Java exits with 3 and the command that installs it",
  async (name) => {
    const env = { POSTRIDER_STACK: "local", JAVA_HOME: "/no/java" };

    const ran = await postrider([name], { env });

    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("next: apt install openjdk-17-jre-headless");
    expect(ran.stdout + ran.stderr).not.toContain("POSTRIDER_DEBUG");
  },
);

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "a wait that %s interrupts exits with 130",
  async (signal) => {
    answer = ({ line }) =>
      line.startsWith("POST")
        ? [202, { events: [{ id: "e1", tenantId: "acme" }] }]
        : (child?.kill(signal), [404, {}]);

    const ran = await postrider(
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
      { env: stack() },
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
