import { expect, test } from "@jest/globals";
import { createEndpointInput } from "./endpoint-input.ts";
import { ProblemError } from "@postrider/http";

const input = createEndpointInput({
  allowHttp: false,
  allowedCidrs: [],
  deniedCidrs: [],
});
const valid = {
  tenantId: "acme",
  url: "https://example.com/hook",
  eventTypes: ["order.*"],
};

function problemsOf(parse: () => unknown): string[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.errors.map(({ field, rule }) => `${field} ${rule}`);
  }
}

test("a creation with only the required fields gets the defaults", () => {
  expect(input.parseCreation(valid)).toEqual({
    ...valid,
    description: "",
    externalId: null,
    headers: {},
    timeoutMs: 15_000,
    maxConcurrency: 16,
    retryDelaysMs: null,
    notRetryableStatuses: [],
  });
});

test.each([
  [{ tenantId: "a b" }, "tenantId format"],
  [{ tenantId: undefined }, "tenantId required"],
  [{ url: "http://example.com/" }, "url scheme"],
  [{ url: "https://127.0.0.1/" }, "url address"],
  [{ url: "https://localhost/" }, "url local_name"],
  [{ url: "https://u:p@example.com/" }, "url no_userinfo"],
  [{ url: 7 }, "url type"],
  [{ eventTypes: [] }, "eventTypes min"],
  [{ eventTypes: ["order.*", "or der"] }, "eventTypes[1] type_pattern"],
  [{ eventTypes: ["a", "a"] }, "eventTypes unique"],
  [{ headers: { "Webhook-Id": "x" } }, "headers.Webhook-Id refused_name"],
  [{ headers: { "x-a": "b\r\nc" } }, "headers.x-a characters"],
  [{ headers: { "x-a": 7 } }, "headers.x-a type"],
  [{ headers: ["x-a"] }, "headers type"],
  [{ headers: null }, "headers type"],
  [JSON.parse('{"__proto__":{"tenantId":"b"}}'), "__proto__ unknown"],
  [{ timeoutMs: 999 }, "timeoutMs min"],
  [{ timeoutMs: 60_001 }, "timeoutMs max"],
  [{ maxConcurrency: 0 }, "maxConcurrency min"],
  [{ notRetryableStatuses: [200] }, "notRetryableStatuses[0] min"],
  [{ secret: "" }, "secret required"],
  [{ secret: "whsec_%%" }, "secret base64"],
  [{ secret: "whsec_c2hvcnQ=" }, "secret length"],
  [{ secret: "whsk_abcd" }, "secret length"],
  [{ secret: "v1,whsec_c2hvcnQ=" }, "secret form"],
  [{ secret: "hush\n" }, "secret space"],
  [{ externalId: "a\u0007" }, "externalId format"],
  [{ version: 3 }, "version unknown"],
])("a creation with %j is refused: %s", (change, expected) => {
  const problems = problemsOf(() =>
    input.parseCreation({ ...valid, ...change }),
  );

  expect(problems).toEqual([expected]);
});

test("of very many problems the first 20 are named, and the others are counted", () => {
  const unknown = Array.from(
    { length: 10_000 },
    (_, at) => [`x${at}${"y".repeat(500)}`, 1] as const,
  );
  const parse = (): unknown =>
    input.parseCreation({ ...valid, ...Object.fromEntries(unknown) });

  const problems = problemsOf(parse);

  expect(problems).toHaveLength(21);
  expect(problems.at(-1)).toBe(" more");
  expect(problems.join().length).toBeLessThan(3_000);
  expect(parse).toThrow(/\(and 9999 more\)/);
});

test("a header may be named __proto__, as on the topic and at the door", () => {
  const headers: unknown = JSON.parse('{"__proto__":"x","x-a":"b"}');

  const parsed = input.parseCreation({ ...valid, headers });

  expect(Object.entries(parsed.headers)).toEqual([
    ["__proto__", "x"],
    ["x-a", "b"],
  ]);
});

test("every problem is reported at once, and none quotes a value", () => {
  const secret = "whsec_not-base64-but-secret";
  const parse = (): unknown =>
    input.parseCreation({ url: "ftp://x.example/", eventTypes: "a", secret });

  expect(problemsOf(parse).toSorted()).toEqual([
    "eventTypes type",
    "secret base64",
    "tenantId required",
    "url scheme",
  ]);
  expect(parse).toThrow(
    expect.objectContaining({
      message: expect.not.stringContaining(secret),
    }),
  );
});

test.each([[null], [undefined], ["text"], [[]]])(
  "a body of %j is no endpoint",
  (body) => {
    expect(problemsOf(() => input.parseCreation(body))).toEqual([
      body === undefined ? "body required" : "body type",
    ]);
  },
);

test("a change takes any field but those that never change", () => {
  expect(input.parseChange({ state: "disabled" })).toEqual({
    state: "disabled",
  });
  expect(problemsOf(() => input.parseChange({}))).toEqual(["body required"]);
  expect(problemsOf(() => input.parseChange({ tenantId: "b" }))).toEqual([
    "tenantId unknown",
  ]);
  expect(problemsOf(() => input.parseChange({ state: "paused" }))).toEqual([
    "state one_of",
  ]);
});
