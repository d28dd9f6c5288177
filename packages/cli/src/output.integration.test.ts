/** What is written to standard output and to the terminal. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../fixtures/fake-stack.ts";

const fake = useFakeStack();

test("a query's 64-bit integers keep every digit, as a table and as JSON", async () => {
  const body =
    '{"columns":[{"name":"n","type":"UInt64"}],"rows":[[18446744073709551615]]}';
  fake.answer = () => [200, body];

  const shown = await fake.postrider(["query", "SELECT n"], {
    env: fake.env(),
  });
  const json = await fake.postrider(["query", "SELECT n", "--json"], {
    env: fake.env(),
  });

  expect(shown.stdout).toBe("n\n18446744073709551615\n");
  expect(json.stdout).toBe(`${body}\n`);
});

const QUERY = ["query", "SELECT n"];

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
    fake.answer = () => [200, manyRows];

    const ran = await fake.inShell(before, QUERY, redirection);

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("error: The output cannot be written.");
    expect(ran.stderr).toContain(why);
  },
);

test("when the reader of its output goes away, the command ends quietly, as other tools do, and not with 0", async () => {
  fake.answer = () => [200, manyRows];

  const ran = await fake.inShell(
    "set -o pipefail;",
    QUERY,
    "| head -n 1 >/dev/null",
  );

  expect(ran.code).toBe(141);
  expect(ran.stderr).not.toContain("error");
});

test("control characters of an answer do not reach the terminal", async () => {
  fake.answer = () => [
    400,
    {
      title: "x\u001b[2Jx",
      detail: "\u001b]0;owned\u0007 d",
      errors: [{ field: "type", message: "m\u001b[31m\u009b" }],
    },
  ];

  const ran = await fake.postrider(
    ["publish", "--tenant", "acme", "--type", "a", "--payload", "{}"],
    { env: fake.env() },
  );

  expect(ran.stderr).toContain("xx (400)");
  expect(ran.stderr).toContain("\n        type: m");
  expect(ran.stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});
