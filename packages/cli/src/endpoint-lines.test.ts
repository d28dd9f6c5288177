import { expect, test } from "@jest/globals";
import { endpointLines, endpointLinesWithDefaults } from "./endpoint-lines.ts";
import { createTerminal } from "./terminal.ts";

const ENDPOINT = {
  id: "ep_1",
  externalId: null,
  description: "",
  eventTypes: ["order.*", "user.created"],
  state: "enabled",
  secrets: [
    {
      id: "sec_1",
      publicKey: null,
      createdAt: "2026-01-01T00:00:00.000Z",
      expiresAt: "2026-01-02T00:00:00.000Z",
    },
    {
      id: "sec_2",
      publicKey: "whpk_x",
      createdAt: "2026-01-01T12:00:00.000Z",
      expiresAt: null,
    },
  ],
  signing: ["standard"],
  headers: { "x-team": "red", "x-\nb": "c" },
  rateLimit: null,
  retryDelaysMs: null,
  notRetryableStatuses: [],
};

const lines = (more: object = {}): string[] =>
  endpointLines({ ...ENDPOINT, ...more }, createTerminal(false)).split("\n");

test("an endpoint is shown in lines that people can read: no JSON, nothing that is empty, and whether it has a rate limit", () => {
  expect(lines()).toEqual([
    "id                   ep_1",
    "eventTypes           order.*, user.created",
    "state                enabled",
    "secrets              sec_1  made 2026-01-01T00:00:00.000Z  ends 2026-01-02T00:00:00.000Z",
    "                     sec_2  made 2026-01-01T12:00:00.000Z  whpk_x",
    "signing              standard",
    "headers              x-team: red",
    "                     x-\\nb: c",
    "rateLimit            none",
  ]);
});

test("a rate limit is shown with its burst, other lists on one line", () => {
  const shown = lines({
    rateLimit: { perSecond: 50, burst: 100 },
    retryDelaysMs: [1_000, 2_000],
    notRetryableStatuses: [404, 422],
  });

  expect(shown).toContain("rateLimit            50/s, burst 100");
  expect(shown).toContain("retryDelaysMs        1000, 2000");
  expect(shown).toContain("notRetryableStatuses 404, 422");
});

test.each([
  [
    { retryDelaysMs: null, maxAttempts: 4, maxAgeMs: null },
    [
      "retryDelaysMs        1000, 2000, 4000 (default)",
      "maxAttempts          4",
      "maxAgeMs             259200000 (default)",
    ],
  ],
  [
    { retryDelaysMs: [5_000, 86_400_000], maxAttempts: null, maxAgeMs: 1_000 },
    [
      "retryDelaysMs        5000, 86400000",
      "maxAttempts          3 (default)",
      "maxAgeMs             1000",
    ],
  ],
  [
    { retryDelaysMs: null, maxAttempts: 1, maxAgeMs: 1_000 },
    [
      "retryDelaysMs        none (default)",
      "maxAttempts          1",
      "maxAgeMs             1000",
    ],
  ],
])("where %j, the retry settings that hold are shown", (settings, expected) => {
  const shown = endpointLinesWithDefaults(
    { ...settings, rateLimit: null },
    createTerminal(false),
  );

  expect(shown.split("\n")).toEqual([...expected, "rateLimit            none"]);
});

test("a field that this version does not know is shown as JSON", () => {
  expect(lines({ policy: { a: 1 } }).at(-1)).toBe(
    'policy               {"a":1}',
  );
});
