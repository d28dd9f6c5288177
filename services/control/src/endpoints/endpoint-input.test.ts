import { expect, test } from "@jest/globals";
import { createEndpointInput } from "./endpoint-input.ts";
import { RETRY_PRESETS } from "@postrider/core";
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

const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

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
    signing: ["standard"],
    method: "POST",
    headers: {},
    timeoutMs: 15_000,
    maxConcurrency: 16,
    rateLimit: null,
    retryDelaysMs: null,
    maxAttempts: null,
    maxAgeMs: null,
    filter: null,
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
  [{ filter: "" }, "filter syntax"],
  [{ filter: 7 }, "filter type"],
  [{ filter: "payload.total >" }, "filter syntax"],
  [{ filter: "paylod.total > 1" }, "filter name"],
  [{ filter: "payload.a.matches('a')" }, "filter function"],
  [{ filter: "payload.total + 1" }, "filter type"],
  [{ filter: `payload.a == '${"a".repeat(2_048)}'` }, "filter max_bytes"],
  [{ headers: { "Webhook-Id": "x" } }, "headers.Webhook-Id refused_name"],
  [{ headers: { "x-a": "b\r\nc" } }, "headers.x-a characters"],
  [{ headers: { "x-a": 7 } }, "headers.x-a type"],
  [{ headers: { "x-key.1": "[redacted]" } }, "headers.x-key.1 redacted"],
  [{ headers: ["x-a"] }, "headers type"],
  [{ headers: null }, "headers type"],
  [JSON.parse('{"__proto__":{"tenantId":"b"}}'), "__proto__ unknown"],
  [{ timeoutMs: 999 }, "timeoutMs min"],
  [{ timeoutMs: 60_001 }, "timeoutMs max"],
  [{ maxConcurrency: 0 }, "maxConcurrency min"],
  [{ notRetryableStatuses: [200] }, "notRetryableStatuses[0] min"],
  [{ notRetryableStatuses: [600] }, "notRetryableStatuses[0] max"],
  [{ retryDelaysMs: [] }, "retryDelaysMs min"],
  [{ retryDelaysMs: Array(51).fill(1_000) }, "retryDelaysMs max"],
  [{ retryDelaysMs: [1_000, 999] }, "retryDelaysMs[1] min"],
  [{ retryDelaysMs: [86_400_001] }, "retryDelaysMs[0] max"],
  [{ retryDelaysMs: ["1s"] }, "retryDelaysMs[0] type"],
  [{ retryDelaysMs: "weekly" }, "retryDelaysMs preset"],
  [{ maxAttempts: 0 }, "maxAttempts min"],
  [{ maxAttempts: 101 }, "maxAttempts max"],
  [{ maxAttempts: 1.5 }, "maxAttempts type"],
  [{ maxAgeMs: 999 }, "maxAgeMs min"],
  [{ maxAgeMs: 2_592_000_001 }, "maxAgeMs max"],
  [{ method: "GET" }, "method one_of"],
  [{ method: "put" }, "method one_of"],
  [{ secret: "" }, "secret required"],
  [{ secret: "whsec_%%" }, "secret base64"],
  [{ secret: "whsec_c2hvcnQ=" }, "secret length"],
  [{ secret: "whsk_abcd" }, "secret length"],
  [{ secret: "v1,whsec_c2hvcnQ=" }, "secret form"],
  [{ secret: `whsk_${"A".repeat(86)}==` }, "secret key_pair"],
  [{ secret: `whpk_${"A".repeat(43)}=` }, "secret public_key"],
  [{ secret: "hush", secretType: "hmac" }, "secretType no_secret"],
  [{ secretType: "rsa" }, "secretType one_of"],
  [{ signing: [] }, "signing min"],
  [{ signing: ["jws"] }, "signing[0] one_of"],
  [{ signing: ["standard", "standard"] }, "signing unique"],
  [{ signing: ["hmac-hex"], secretType: "ed25519" }, "signing hmac_secret"],
  [{ signing: ["hmac-hex"], secret: ED25519 }, "signing hmac_secret"],
  [
    { signing: ["hmac-hex"], headers: { "X-Webhook-Signature": "x" } },
    "headers.X-Webhook-Signature refused_name",
  ],
  [{ secret: "hush\n" }, "secret space"],
  [{ externalId: "a\u0007" }, "externalId format"],
  [{ externalId: "a\ud800" }, "externalId format"],
  [{ description: "a\udfff" }, "description format"],
  [{ rateLimit: { perSecond: 0 } }, "rateLimit.perSecond min"],
  [{ rateLimit: { perSecond: 1, burst: 0 } }, "rateLimit.burst min"],
  [{ rateLimit: 5 }, "rateLimit type"],
  [{ version: 3 }, "version unknown"],
])("a creation with %j is refused: %s", (change, expected) => {
  const problems = problemsOf(() =>
    input.parseCreation({ ...valid, ...change }),
  );

  expect(problems).toEqual([expected]);
});

test("a filter is kept as it was written, a wrong one is refused with its place, and null takes it away", () => {
  const filter = "payload.total > 100 &&\n  event.type == 'order.paid'";

  expect(input.parseCreation({ ...valid, filter }).filter).toBe(filter);
  expect(input.parseChange({ filter: null })).toEqual({ filter: null });
  expect(() => input.parseChange({ filter: "has(payload) && true" })).toThrow(
    expect.objectContaining({
      errors: [
        {
          field: "filter",
          rule: "function",
          message:
            "column 1, at `has(payload) && true`: has takes a field: has(payload.total)",
        },
      ],
    }),
  );
});

test("a preset's name stands for its waits, at a creation and in a change", () => {
  const retryDelaysMs = "standard-webhooks";
  const waits = [...RETRY_PRESETS[retryDelaysMs]];

  const created = input.parseCreation({ ...valid, retryDelaysMs });
  const changed = input.parseChange({ retryDelaysMs });

  expect(created.retryDelaysMs).toEqual(waits);
  expect(changed).toEqual({ retryDelaysMs: waits });
});

test("a change with null gives back the built-in schedule, number of attempts and age", () => {
  const change = { retryDelaysMs: null, maxAttempts: null, maxAgeMs: null };

  expect(input.parseChange(change)).toEqual(change);
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

test.each([
  [50, 50],
  [2.5, 3],
  [0.1, 1],
])(
  "a rate limit of %d a second has a burst of %d by default",
  (perSecond, burst) => {
    const parsed = input.parseCreation({ ...valid, rateLimit: { perSecond } });

    expect(parsed.rateLimit).toEqual({ perSecond, burst });
  },
);

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
  expect(problemsOf(() => input.parseChange({ state: "asleep" }))).toEqual([
    "state one_of",
  ]);
});

test("a creation takes an ed25519 key, and both profiles with any other secret", () => {
  const problemsWith = (fields: object): string[] =>
    problemsOf(() => input.parseCreation({ ...valid, ...fields }));

  expect(problemsWith({ secret: ED25519 })).toEqual([]);
  expect(problemsWith({ signing: ["standard", "hmac-hex"] })).toEqual([]);
  expect(
    problemsWith({ headers: { "x-webhook-signature": "theirs" } }),
  ).toEqual([]);
});

test("a rotation without a body makes a secret and keeps the old one for a day", () => {
  expect(input.parseRotation(undefined)).toEqual({ overlapMs: 86_400_000 });
  expect(input.parseRotation({ overlapMs: 0, secret: "hush" })).toEqual({
    overlapMs: 0,
    secret: "hush",
  });
});

test.each([
  [{ overlapMs: -1 }, "overlapMs min"],
  [{ overlapMs: 30 * 86_400_000 + 1 }, "overlapMs max"],
  [{ overlapMs: "24h" }, "overlapMs type"],
  [{ secret: "whsec_%%" }, "secret base64"],
  [{ secret: "hush", secretType: "ed25519" }, "secretType no_secret"],
  [{ overlap: 1 }, "overlap unknown"],
  [null, "body type"],
])("a rotation with %j is refused: %s", (body, expected) => {
  expect(problemsOf(() => input.parseRotation(body))).toEqual([expected]);
});

test("a reason for a pause may be left out, and is text for people", () => {
  expect(input.parseReason(undefined)).toBeUndefined();
  expect(input.parseReason({ reason: "they migrate" })).toBe("they migrate");
  expect(problemsOf(() => input.parseReason({ reason: "" }))).toEqual([
    "reason min",
  ]);
  expect(problemsOf(() => input.parseReason({ why: "x" }))).toEqual([
    "why unknown",
  ]);
});
