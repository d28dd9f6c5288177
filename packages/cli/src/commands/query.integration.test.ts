/** `postrider query` with saved queries: what it asks control, and what it says of the answers. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const run = (...args: readonly string[]) =>
  fake.postrider(["query", ...args], { env: fake.env() });

test("a saved query is asked with its parameters, and its answer is shown as that of an SQL text", async () => {
  const answer =
    '{"columns":[{"name":"n","type":"UInt64"}],"rows":[[18446744073709551615]]}';
  fake.answer = () => [200, answer];

  const args = [
    "--saved",
    "endpoint-health",
    "--param",
    "since=6h",
    "--param",
    "tenant=a&b=c",
  ];
  const shown = await run(...args);
  const json = await run(...args, "--json");

  expect(fake.asked[0]?.line).toBe(
    "GET /v1/queries/endpoint-health?since=6h&tenant=a%26b%3Dc",
  );
  expect(shown).toMatchObject({ code: 0, stdout: "n\n18446744073709551615\n" });
  expect(json.stdout).toBe(`${answer}\n`);
});

const ANSWER =
  '{"columns":[{"name":"n","type":"UInt64"},{"name":"text","type":"String"},{"name":"ids","type":"Array(UInt64)"},{"name":"none","type":"Nullable(String)"}],"rows":[[18446744073709551615,"a, \\"b\\"",[18446744073709551614],null],[0,"c",[],""]],"truncated":true}';

test.each([
  [
    "--ndjson",
    '{"n":18446744073709551615,"text":"a, \\"b\\"","ids":[18446744073709551614],"none":null}\n{"n":0,"text":"c","ids":[],"none":""}\n',
  ],
  [
    "--csv",
    'n,text,ids,none\r\n18446744073709551615,"a, ""b""",[18446744073709551614],\r\n0,c,[],\r\n',
  ],
])(
  "%s writes every row with every digit, and says apart from it that there are more",
  async (flag, expected) => {
    fake.answer = () => [200, ANSWER];

    const saved = await run("--saved", "endpoint-health", flag);
    const own = await run("SELECT 1", flag);

    expect(saved).toMatchObject({ code: 0, stdout: expected });
    expect(own).toMatchObject({ code: 0, stdout: expected });
    expect(saved.stderr).toContain("2 rows, and there were more");
  },
);

test("an answer without rows is its line of names as CSV, and nothing as NDJSON", async () => {
  fake.answer = () => [
    200,
    '{"columns":[{"name":"n","type":"UInt64"}],"rows":[],"truncated":false}',
  ];

  const csv = await run("SELECT 1", "--csv");
  const ndjson = await run("SELECT 1", "--ndjson");

  expect([csv.stdout, ndjson.stdout]).toEqual(["n\r\n", ""]);
});

test("--list shows the saved queries with their parameters", async () => {
  const answer = {
    queries: [
      {
        name: "endpoint-log",
        title: "What did it answer?",
        parameters: [
          { name: "since", default: "1d" },
          { name: "endpoint", default: null },
        ],
      },
    ],
  };
  fake.answer = () => [200, answer];

  const shown = await run("--list");
  const json = await run("--list", "--json");
  const ndjson = await run("--list", "--ndjson");

  expect(fake.asked[0]?.line).toBe("GET /v1/queries");
  expect(shown.stdout).toMatch(
    /endpoint-log {2}What did it answer\? {2}since=1d endpoint=\(required\)/,
  );
  expect(JSON.parse(json.stdout)).toEqual(answer);
  expect(JSON.parse(ndjson.stdout)).toEqual(answer.queries[0]);
});

test("an unknown name ends with 4, and shows the nearest names", async () => {
  const detail =
    'There is no saved query "worst". The nearest names: worst-endpoints.';
  fake.answer = () => [
    404,
    {
      title: "There is no such thing",
      detail,
      errors: [{ field: "name", rule: "exists", message: "is not there" }],
    },
  ];

  const ran = await run("--saved", "worst");

  expect(ran.code).toBe(4);
  expect(ran.stderr).toBe(
    `error: ${detail}\n  next: npx postrider query --list\n`,
  );
});

test("a wrong parameter ends with 5, and its name and rule are shown", async () => {
  fake.answer = () => [
    400,
    {
      title: "The request breaks a rule",
      detail: "since: must be a time (and 1 more)",
      errors: [
        { field: "since", rule: "time", message: "must be a time" },
        { field: "endpoint", rule: "required", message: "is required" },
      ],
    },
  ];

  const ran = await run("--saved", "endpoint-log", "--param", "since=x");

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("since: must be a time");
  expect(ran.stderr).toContain("endpoint: is required");
  expect(ran.stderr).toContain("npx postrider query --list");
});

test("a saved query that is too much for ClickHouse ends with 5, and what to ask for is shown", async () => {
  fake.answer = () => [
    400,
    {
      title: "ClickHouse refused the query",
      detail: "Timeout exceeded: elapsed 30 s (code 159)",
      errors: [
        {
          field: "since",
          rule: "clickhouse_159",
          message: "TIMEOUT_EXCEEDED",
        },
      ],
    },
  ];

  const ran = await run("--saved", "waiting-now");

  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain("since: TIMEOUT_EXCEEDED");
  expect(ran.stderr).toContain("next: Ask for less: a shorter window");
});

test.each([
  [[], "Give one of"],
  [["SELECT 1", "--saved", "outcomes"], "Give one of"],
  [["--list", "--saved", "outcomes"], "Give one of"],
  [["SELECT 1", "--param", "since=1d"], "--param belongs to --saved"],
  [["--list", "--param", "since=1d"], "--param belongs to --saved"],
  [["--saved", "outcomes", "--param", "since"], "must be name=value"],
  [["--saved", "outcomes", "--param", "=1d"], "must be name=value"],
  [["--saved", ""], "is empty"],
  [["SELECT 1", "--csv", "--json"], "--json and --csv exclude each other"],
])("%j is a usage error, and nothing is asked", async (args, message) => {
  const ran = await run(...args);

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(message);
  expect(fake.asked).toEqual([]);
});
