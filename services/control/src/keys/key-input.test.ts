import { expect, test } from "@jest/globals";
import { ProblemError } from "@postrider/http";
import { parseKeyCreation, parseKeyListQuery } from "./key-input.ts";

const NOW = Date.UTC(2026, 0, 1);

function problemsOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.errors.map(({ field, rule }) => `${field}: ${rule}`);
  }
}

test("name and role are enough: such a key never expires, has no limit, and is of every tenant", () => {
  const read = parseKeyCreation({ name: "ci", role: "reader" }, null, NOW);

  expect(read).toEqual({
    name: "ci",
    role: "reader",
    tenantId: null,
    expiresAt: null,
    limit: null,
  });
});

test.each([
  [{ expiresIn: "90d" }, { expiresAt: NOW + 90 * 86_400_000 }],
  [{ expiresAt: "2026-01-01T00:00:01Z" }, { expiresAt: NOW + 1_000 }],
  [{ expiresAt: NOW + 5 }, { expiresAt: NOW + 5 }],
  [{ limitPerSecond: 0.5 }, { limit: { perSecond: 0.5, burst: 1 } }],
  [{ limitPerSecond: 9.5 }, { limit: { perSecond: 9.5, burst: 10 } }],
  [
    { limitPerSecond: 10, limitBurst: 500 },
    { limit: { perSecond: 10, burst: 500 } },
  ],
])("%j is read as %j", (given, expected) => {
  const body = { name: "ci", role: "publisher", tenantId: "acme", ...given };

  expect(parseKeyCreation(body, null, NOW)).toMatchObject({
    tenantId: "acme",
    ...expected,
  });
});

test.each([
  [undefined, ["body: required"]],
  [[], ["body: type"]],
  [{}, ["name: required", "role: one_of"]],
  [{ name: "", role: "owner" }, ["name: min", "role: one_of"]],
  [{ name: "a\nb" }, ["name: format"]],
  [{ tenantId: "a b" }, ["tenantId: format"]],
  [{ hash: "x" }, ["hash: unknown"]],
  [{ expiresIn: "0s" }, ["expiresIn: duration"]],
  [{ expiresIn: "4000d" }, ["expiresIn: duration"]],
  [{ expiresIn: 90 }, ["expiresIn: type"]],
  [{ expiresAt: "tomorrow" }, ["expiresAt: time"]],
  [{ expiresAt: NOW }, ["expiresAt: future"]],
  [{ expiresAt: NOW + 1, expiresIn: "1d" }, ["expiresAt: one_of"]],
  [{ limitPerSecond: 0 }, ["limitPerSecond: min"]],
  [{ limitBurst: 5 }, ["limitBurst: alone"]],
])("%j breaks %j", (given, expected) => {
  const isWhole =
    given === undefined ||
    Array.isArray(given) ||
    Object.keys(given).length === 0;
  const body = isWhole ? given : { name: "ci", role: "reader", ...given };

  expect(problemsOf(() => parseKeyCreation(body, null, NOW))).toEqual(expected);
});

test("with a caller's tenant the key gets it, and another one, or none, is refused by its field", () => {
  const body = { name: "ci", role: "admin" };
  const read = (more: object) =>
    parseKeyCreation({ ...body, ...more }, "acme", NOW);

  expect(read({}).tenantId).toBe("acme");
  expect(read({ tenantId: "acme" }).tenantId).toBe("acme");
  for (const tenantId of ["beta", null, 7])
    expect(problemsOf(() => read({ tenantId }))).toEqual(["tenantId: own"]);
});

test("a list may be of one tenant, and comes in pages", () => {
  expect(parseKeyListQuery({ tenantId: "acme", limit: "5" })).toEqual({
    tenantId: "acme",
    limit: 5,
  });
  expect(
    problemsOf(() => parseKeyListQuery({ limit: "0", cursor: "x", a: "b" })),
  ).toEqual(["limit: min", "cursor: cursor", "a: unknown"]);
});
