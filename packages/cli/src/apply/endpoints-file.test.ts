import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { parseEndpoints } from "./endpoints-file.ts";
import { problemLine } from "./file-problem.ts";

const folder = mkdtempSync(join(tmpdir(), "postrider-apply-"));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string, env: Record<string, string> = {}) =>
  parseEndpoints(text, { name: "e.yaml", folder, env });

test("an endpoint has the document's tenant unless it names its own", () => {
  const { wanted, problems } = parse(`
tenantId: acme
endpoints:
  - externalId: billing
    url: https://a.example/
    eventTypes: [order.*]
  - externalId: crm
    tenantId: other
    rateLimit: { perSecond: 5 }
`);

  expect(problems).toEqual([]);
  expect(wanted).toMatchObject([
    {
      at: "endpoints[0]",
      tenantId: "acme",
      externalId: "billing",
      body: {
        tenantId: "acme",
        externalId: "billing",
        url: "https://a.example/",
        eventTypes: ["order.*"],
      },
    },
    { tenantId: "other", body: { rateLimit: { perSecond: 5 } } },
  ]);
});

test("references are resolved, from the environment and from files beside the document, and their fields are hidden", () => {
  writeFileSync(join(folder, "secret.txt"), "whsec_of-the-file\n");

  const { wanted, problems } = parse(
    `
tenantId: acme
endpoints:
  - externalId: a
    url: { env: THE_URL }
    secret: { file: secret.txt }
    headers:
      x-team: billing
      x-token: { env: TOKEN }
`,
    { THE_URL: "https://a.example/?t=1", TOKEN: "hush" },
  );

  expect(problems).toEqual([]);
  expect(wanted[0]?.body).toMatchObject({
    url: "https://a.example/?t=1",
    secret: "whsec_of-the-file",
    headers: { "x-team": "billing", "x-token": "hush" },
  });
  expect([...(wanted[0]?.hidden ?? [])].sort()).toEqual([
    "headers.x-token",
    "secret",
    "url",
  ]);
});

test("every problem is told at once, with its line and its path", () => {
  const { problems } = parse(`
endpoint: x
endpoints:
  - externalId: a
    tenantId: acme
    secret: { env: MISSING }
    headers:
      x-token: { vault: y }
  - externalId: a
    tenantId: acme
    url: { file: nowhere.txt }
  - just a text
  - tenantId: acme
  - externalId: b
`);

  expect(problems.map(problemLine)).toEqual([
    "e.yaml:2: endpoint: is not a field of the document: tenantId, endpoints",
    "e.yaml:6: endpoints[0].secret: the environment variable MISSING is not set",
    "e.yaml:8: endpoints[0].headers.x-token: must be a text, {env: NAME} or {file: PATH}",
    expect.stringMatching(
      /^e\.yaml:11: endpoints\[1\]\.url: nowhere\.txt cannot be read: /,
    ),
    "e.yaml:9: endpoints[1]: has the tenantId and the externalId of endpoints[0]",
    "e.yaml:12: endpoints[2]: must be a map of fields",
    "e.yaml:13: endpoints[3]: needs an externalId, by which it is found again",
    "e.yaml:14: endpoints[4]: needs a tenantId, its own or the document's",
  ]);
});

test.each([
  ["endpoints: [", /^e\.yaml:1: /],
  ["a: 1\na: 2", /^e\.yaml:2: /],
  ["- 1", /must have a list `endpoints`/],
  ["", /must have a list `endpoints`/],
  ["endpoints: 7", /must have a list `endpoints`/],
])("%j is refused and not taken for an empty list", (text, why) => {
  const { wanted, problems } = parse(text);

  expect(wanted).toEqual([]);
  expect(problems.map(problemLine).join("\n")).toMatch(why);
});

test("a problem names the variable, and never what another reference stands for", () => {
  const { problems } = parse(
    "endpoints: [{ externalId: a, tenantId: t, secret: { env: A, b: c } }]",
    { A: "hush" },
  );

  expect(problems).toHaveLength(1);
  expect(JSON.stringify(problems)).not.toContain("hush");
});
