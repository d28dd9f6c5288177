import { expect, test } from "@jest/globals";
import { DoorProblem } from "./door-problem.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";

const DAY_MS = 24 * 3_600_000;

function theKeys(most?: number) {
  const clock = { now: 0 };
  const keys = new IdempotencyKeys(() => clock.now, most);
  const claim = (idempotencyKey: string, body: string, tenants = ["acme"]) =>
    keys.claim(
      { idempotencyKey, body: Buffer.from(body) },
      tenants.map((tenantId) => ({ tenantId })),
    );
  const problemOf = (...given: Parameters<typeof claim>) => {
    try {
      claim(...given);
      return null;
    } catch (error) {
      return error instanceof DoorProblem ? error.status : error;
    }
  };
  return { keys, clock, claim, problemOf };
}

test("a key of a request that is under way is in use, and free again if nothing was accepted", () => {
  const { claim, problemOf } = theKeys();
  const first = claim("k", "a");

  expect(problemOf("k", "a")).toBe(409);
  expect(problemOf("other", "a")).toBeNull();

  first.end("nothing");

  expect(problemOf("k", "another body")).toBeNull();
});

test("an accepted request is not sent again, and another body under its key is refused", () => {
  const { claim, problemOf } = theKeys();
  claim("k", "a").end("accepted");

  expect(claim("k", "a").isAccepted).toBe(true);
  expect(problemOf("k", "b")).toBe(422);
  expect(claim("k", "b", ["beta"]).isAccepted).toBe(false);
});

test("a request in doubt is sent again, and no other body may take its place, also after a try that sent nothing", () => {
  const { claim, problemOf } = theKeys();
  claim("k", "a").end("in_doubt");

  const again = claim("k", "a");
  expect(again.isAccepted).toBe(false);
  again.end("nothing");

  expect(problemOf("k", "b")).toBe(422);
});

test("a batch uses the key of each of its tenants", () => {
  const { claim, problemOf } = theKeys();
  claim("k", "a", ["acme", "beta", "acme"]).end("accepted");

  expect(problemOf("k", "b", ["beta"])).toBe(422);
  expect(problemOf("k", "b", ["gamma"])).toBeNull();
});

test("a request without a key is not remembered", () => {
  const { keys } = theKeys();
  const body = Buffer.from("a");

  keys
    .claim({ idempotencyKey: undefined, body }, [{ tenantId: "acme" }])
    .end("accepted");

  expect(keys.size).toBe(0);
});

test("only so many keys are remembered, the latest, and none for longer than a day", () => {
  const { keys, clock, claim } = theKeys(10);
  for (let i = 0; i < 100; i++) claim(`k${i}`, "a").end("accepted");

  expect(keys.size).toBeLessThanOrEqual(20);
  expect(claim("k99", "a").isAccepted).toBe(true);
  expect(claim("k90", "a").isAccepted).toBe(true);
  const old = claim("k1", "a");
  expect(old.isAccepted).toBe(false);
  old.end("nothing");

  clock.now = DAY_MS + 1;

  expect(claim("k99", "a").isAccepted).toBe(false);
});
