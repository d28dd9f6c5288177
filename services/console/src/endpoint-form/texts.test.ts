import { expect, test } from "@jest/globals";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import {
  byField,
  changeOf,
  creationOf,
  NEW_TEXTS,
  rebased,
  textsOf,
  type Texts,
} from "./texts.ts";

const endpoint: EndpointSettings = {
  id: "ep_1",
  externalId: null,
  tenantId: "acme",
  url: "https://example.com/hooks",
  description: "orders",
  eventTypes: ["order.*", "invoice.paid"],
  filter: null,
  state: "enabled",
  stateReason: null,
  secrets: [],
  signing: ["standard"],
  method: "POST",
  headers: { authorization: "[redacted]", "x-team": "billing" },
  timeoutMs: 15_000,
  maxConcurrency: 16,
  rateLimit: { perSecond: 50, burst: 100 },
  retryDelaysMs: [30_000, 300_000],
  maxAttempts: null,
  maxAgeMs: 259_200_000,
  notRetryableStatuses: [400, 422],
  version: 3,
  createdAt: "2026-11-24T00:03:17.999Z",
  updatedAt: "2026-11-24T00:03:17.999Z",
};
const base = textsOf(endpoint);

test("each setting is read from the text that it is shown as", () => {
  const { body, problems } = changeOf(
    base,
    Object.fromEntries(Object.keys(base).map((name) => [name, "?"])) as Texts, // of all names
  );

  expect(problems).toEqual({});
  const { secret: _, secretType: __, ...settings } = body;
  expect(endpoint).toMatchObject(settings);
  expect(Object.keys(settings)).toHaveLength(16);
});

test("a change has the fields that were typed into, and no other", () => {
  const typed = { ...base, timeoutMs: "5s", rateLimit: "", maxAttempts: " 7 " };

  expect(changeOf(typed, base)).toEqual({
    body: { timeoutMs: 5_000, rateLimit: null, maxAttempts: 7 },
    problems: {},
  });
  expect(changeOf(base, base).body).toEqual({});
});

test.each([
  [{ timeoutMs: "5" }, "must be a duration with its unit, such as 15s or 5m"],
  [{ maxConcurrency: "" }, "must be a number"],
  [{ notRetryableStatuses: "4xx" }, "must be numbers with commas between"],
  [{ rateLimit: "1 2 3" }, "must be one number or two, such as 50 or 50, 100"],
  [{ headers: "x-team" }, "must be lines of a name, a colon and a value"],
  [{ headers: "x-a: 1\nX-A: 2" }, "must not name a header twice"],
])("%j is refused at its field before it is sent", (typed, problem) => {
  const [name = ""] = Object.keys(typed);

  expect(changeOf({ ...base, ...typed }, base)).toEqual({
    body: {},
    problems: { [name]: problem },
  });
});

test("waits may be a preset's name", () => {
  const typed = { ...base, retryDelaysMs: "standard-webhooks" };

  expect(changeOf(typed, base).body).toEqual({
    retryDelaysMs: "standard-webhooks",
  });
});

test("a creation has what was typed, and the defaults that are shown", () => {
  const typed = {
    ...NEW_TEXTS,
    url: " https://example.com/ ",
    eventTypes: "order.*\ninvoice.paid",
    tenantId: "acme",
  };
  const defaults = {
    method: "POST",
    signing: ["standard"],
    timeoutMs: 15_000,
    maxConcurrency: 16,
  };
  const named = {
    url: "https://example.com/",
    eventTypes: ["order.*", "invoice.paid"],
    tenantId: "acme",
  };

  expect(creationOf(typed).body).toEqual({
    ...named,
    ...defaults,
    secretType: "hmac",
  });
  expect(creationOf({ ...typed, secret: "whsec_x" }).body).toEqual({
    ...named,
    ...defaults,
    secret: "whsec_x",
  });
});

test("after another's change the own words stay, and all else is new", () => {
  const typed = { ...base, description: "mine", timeoutMs: "5s" };
  const now = {
    ...base,
    description: "theirs",
    timeoutMs: "5s",
    url: "https://example.com/new",
  };

  const { texts, clashes } = rebased({ typed, base, now });

  expect(texts).toEqual({
    ...now,
    description: "mine",
  });
  expect(clashes).toEqual(["description"]);
});

test("each of the API's problems is at its field", () => {
  const { problems, others } = byField([
    { field: "url", message: "requests to it are refused: private" },
    { field: "eventTypes[1]", message: "must be a dotted type" },
    { field: "headers.x-team", message: "must be printable" },
    { field: "timeoutMs", message: "must be at least 1000" },
    { field: "if-match", message: "must be 2" },
  ]);

  expect(problems).toEqual({
    url: "requests to it are refused: private",
    eventTypes: "entry 2 must be a dotted type",
    headers: "x-team must be printable",
    timeoutMs: "must be at least 1s",
  });
  expect(others).toEqual([{ field: "if-match", message: "must be 2" }]);
});
