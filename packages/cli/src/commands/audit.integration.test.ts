/** `audit list`, and `--why` of what changes an endpoint. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

const ENTRY = {
  at: "2026-11-29T12:00:00.000Z",
  actor: "admin",
  tenantId: "acme",
  subject: "endpoint",
  subjectId: "ep_1",
  action: "paused",
  why: "ticket 7",
  detail: { state: { from: "enabled", to: "paused" } },
  requestId: "req-7",
};

test("changes are listed as a table, with what asks for older ones", async () => {
  fake.answer = () => [200, { entries: [ENTRY], nextCursor: "abc" }];

  const ran = await fake.postrider(
    "audit list --subject endpoint --id ep_1 --since 6h --limit 1".split(" "),
    { env: fake.env() },
  );

  expect(ran.code).toBe(0);
  expect(fake.asked[0]?.line).toBe(
    "GET /v1/audit?subject=endpoint&subjectId=ep_1&since=6h&limit=1",
  );
  expect(ran.stdout).toMatch(/^at +actor +tenant +subject +id +action +why/);
  expect(ran.stdout).toMatch(
    /admin +acme +endpoint +ep_1 +paused +ticket 7 +state enabled → paused/,
  );
  expect(ran.stderr).toContain("--cursor abc");
});

test("it has the forms of every list, and follows its pages", async () => {
  fake.answer = ({ line }) => [
    200,
    line.includes("cursor=abc")
      ? { entries: [{ ...ENTRY, subjectId: "ep_2" }], nextCursor: null }
      : { entries: [ENTRY], nextCursor: "abc" },
  ];
  const ran = async (...form: string[]) =>
    (await fake.postrider(["audit", "list", ...form], { env: fake.env() }))
      .stdout;

  expect(JSON.parse(await ran("--json", "--all"))).toEqual({
    entries: [ENTRY, { ...ENTRY, subjectId: "ep_2" }],
    nextCursor: null,
  });
  expect(
    (await ran("--ndjson"))
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([ENTRY, { ...ENTRY, subjectId: "ep_2" }]);
  expect((await ran("--csv")).split("\r\n").slice(0, 2)).toEqual([
    "at,actor,tenantId,subject,subjectId,action,why,detail,requestId",
    '2026-11-29T12:00:00.000Z,admin,acme,endpoint,ep_1,paused,ticket 7,"{""state"":{""from"":""enabled"",""to"":""paused""}}",req-7',
  ]);
});

test("every command that changes an endpoint sends its reason", async () => {
  fake.answer = () => [
    200,
    {
      id: "ep_1",
      endpointId: "ep_1",
      version: 3,
      state: "paused",
      resume: null,
    },
  ];

  for (const line of [
    "create --tenant acme --url https://example.com/",
    "update ep_1 --timeout 5s",
    "rotate-secret ep_1",
    "delete ep_1",
    "pause ep_1",
    "disable ep_1",
    "enable ep_1",
    "resume ep_1",
    "resume ep_1 --cancel",
  ]) {
    const ran = await fake.postrider(
      ["endpoints", ...line.split(" "), "--why", "Überlast — ticket 7"],
      { env: fake.env() },
    );
    expect([line, ran.code, ran.stderr]).toEqual([line, 0, expect.any(String)]);
  }

  const changes = fake.asked.filter(({ line }) => !line.startsWith("GET"));
  expect(changes).toHaveLength(9);
  for (const { headers } of changes)
    expect(
      Buffer.from(String(headers["x-audit-reason"]), "latin1").toString(),
    ).toBe("Überlast — ticket 7");
});

test("a reason with a line break is a usage error", async () => {
  const ran = await fake.postrider(
    ["endpoints", "pause", "ep_1", "--why", "a\nb"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--why");
  expect(fake.asked).toEqual([]);
});
