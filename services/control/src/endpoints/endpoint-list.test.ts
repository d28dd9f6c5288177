import { expect, test } from "@jest/globals";
import type { Endpoint } from "@postrider/core";
import { listEndpoints, parseListQuery } from "./endpoint-list.ts";
import { viewOf } from "./endpoint.ts";
import { ProblemError } from "@postrider/http";

function anEndpoint(id: string, createdAt: number, tenantId = "acme") {
  const endpoint: Endpoint = {
    id,
    externalId: null,
    tenantId,
    url: "https://example.com/",
    description: "",
    eventTypes: ["*"],
    state: "enabled",
    stateReason: null,
    secrets: [],
    method: "POST",
    headers: {},
    sealedHeaders: {},
    timeoutMs: 15_000,
    maxConcurrency: 16,
    rateLimit: null,
    retryDelaysMs: null,
    maxAttempts: null,
    maxAgeMs: null,
    filter: null,
    signing: ["standard"],
    notRetryableStatuses: [],
    version: 1,
    createdAt,
    updatedAt: createdAt,
  };
  return [id, endpoint] as const;
}

const shown = (endpoint: Endpoint) => viewOf(endpoint, () => null);

test("a list may be of one tenant", () => {
  const entries = [anEndpoint("ep_a", 1), anEndpoint("ep_b", 2, "beta")];
  const idsOf = (query: unknown): readonly string[] =>
    listEndpoints(entries, parseListQuery(query), shown).endpoints.map(
      ({ id }) => id,
    );

  expect(idsOf({})).toEqual(["ep_a", "ep_b"]);
  expect(idsOf({ tenantId: "beta" })).toEqual(["ep_b"]);
});

test("pages follow the order of creation and miss nothing when something is created in between", () => {
  const entries = [
    anEndpoint("ep_b", 2),
    anEndpoint("ep_a", 2),
    anEndpoint("ep_c", 1),
    anEndpoint("ep_other", 1, "other"),
  ];
  const query = { tenantId: "acme", limit: "2" };

  const first = listEndpoints(entries, parseListQuery(query), shown);
  const second = listEndpoints(
    [...entries, anEndpoint("ep_0", 1)],
    parseListQuery({ ...query, cursor: first.nextCursor }),
    shown,
  );

  expect(first.endpoints.map(({ id }) => id)).toEqual(["ep_c", "ep_a"]);
  expect(second.endpoints.map(({ id }) => id)).toEqual(["ep_b"]);
  expect(second.nextCursor).toBeNull();
});

test.each([
  [{ limit: "0" }, "limit min"],
  [{ limit: "1001" }, "limit max"],
  [{ limit: "many" }, "limit type"],
  [{ cursor: "zzz" }, "cursor cursor"],
  [{ tenant: "acme" }, "tenant unknown"],
])("%j is refused: %s", (query, expected) => {
  try {
    parseListQuery(query);
    throw new Error("was not refused");
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.errors.map((e) => `${e.field} ${e.rule}`)).toEqual([expected]);
  }
});
