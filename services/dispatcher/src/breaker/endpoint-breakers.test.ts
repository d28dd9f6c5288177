import { expect, test } from "@jest/globals";
import { BUILT_AT, fakeClock } from "@postrider/testkit";
import type { Permit } from "./breaker.ts";
import { EndpointBreakers, type Wait } from "./endpoint-breakers.ts";
import { refusedResult, type AttemptResult } from "../send/attempt-result.ts";

const answered = (
  statusCode: number,
  retryAfter: string | null = null,
): AttemptResult => ({
  ...refusedResult(""),
  outcome: statusCode < 300 ? "delivered" : "http_error",
  statusCode,
  retryAfter,
});
const WELL = answered(200);
const DOWN = answered(503);

function someBreakers() {
  const clock = fakeClock(BUILT_AT);
  const breakers = new EndpointBreakers({ clock, random01: () => 0 });
  const enter = (
    endpointId = "ep_1",
    deferralReason: string | null = null,
    isKnown = deferralReason === null,
  ): Entry => {
    const wait = breakers.waitOf(endpointId);
    if (wait !== null) return { kind: "wait", ...wait };
    const permit = breakers.begin({ endpointId, deferralReason }, isKnown);
    return { kind: "go", permit };
  };
  const end = (permit: Permit, result: AttemptResult, endpointId = "ep_1") =>
    breakers.ended(endpointId, permit, result, true);
  const attempt = (result: AttemptResult, endpointId = "ep_1") =>
    end(permitOf(enter(endpointId)), result, endpointId);
  return {
    breakers,
    clock,
    enter,
    end,
    attempt,
    open: (endpointId = "ep_1") => {
      for (let n = 0; n < 10; n += 1) attempt(DOWN, endpointId);
    },
    /** How long `count` deliveries that come now have to wait, ms. */
    waits: (count: number) =>
      Array.from({ length: count }, () => untilOf(enter()) - clock.now()),
  };
}

type Entry =
  | { readonly kind: "go"; readonly permit: Permit }
  | ({ readonly kind: "wait" } & Wait);

function permitOf(entry: Entry): Permit {
  if (entry.kind === "wait") throw new Error(`it waits: ${entry.reason}`);
  return entry.permit;
}

const untilOf = (entry: Entry): number =>
  entry.kind === "wait" ? entry.until : NaN;

test("what waits for an open breaker gets three slots when its time is over, and the others follow a second later, a hundred a second", () => {
  const { open, waits } = someBreakers();
  open();

  expect(waits(6)).toEqual([5_000, 5_000, 5_000, 6_000, 6_010, 6_020]);
});

test("no slot is further away than five minutes, however long the backlog is", () => {
  const { open, waits } = someBreakers();
  open();

  expect(Math.max(...waits(50_000))).toBe(300_000);
});

test("a backlog that finds the probes under way comes back a few times at most, however long they take", () => {
  const { open, waits, enter, clock } = someBreakers();
  open();
  clock.advance(5_000);
  for (let probe = 0; probe < 3; probe += 1) enter();
  let waitedMs = 0;
  let hops = 0;

  while (waitedMs < 60_000) {
    const [waitMs = 0] = waits(1);
    waitedMs += waitMs;
    clock.advance(waitMs);
    hops += 1;
  }

  expect(hops).toBeLessThanOrEqual(6);
});

test("a backlog keeps its turns when the breaker opens again, but three of it are the next probes", () => {
  const { open, waits, enter, end, clock } = someBreakers();
  open();
  waits(1_000);
  clock.advance(5_000);
  const probes = Array.from({ length: 3 }, () => permitOf(enter()));

  const changes = probes.map((permit) => end(permit, DOWN).change);

  expect(changes[0]).toMatchObject({ kind: "reopened", openMs: 7_500 });
  const nextTurn = 1_000 + 997 * 10;
  expect(waits(5)).toEqual([7_500, 7_500, 7_500, nextTurn, nextTurn + 10]);
});

test("Retry-After holds the whole endpoint: the others wait from its end on, and then go", () => {
  const { attempt, enter, waits, clock, breakers } = someBreakers();

  expect(attempt(answered(429, "30")).holdMs).toBe(30_000);
  expect(enter()).toMatchObject({ kind: "wait", reason: "retry_after" });
  expect(waits(2)).toEqual([30_010, 30_020]);
  expect(breakers.passageOf("ep_1")).toBe("deferral");
  clock.advance(30_000);

  expect(enter().kind).toBe("go");
  expect(breakers.passageOf("ep_1")).toBe("attempt");
});

test("what waits for a hold comes back at the pace at which the endpoint took deliveries within the last minute, a hundred a second at least", () => {
  const { attempt, waits, clock } = someBreakers();
  attempt(DOWN);
  for (let n = 0; n < 10_000; n += 1) {
    attempt(WELL);
    clock.advance(2);
  }

  attempt(answered(429, "1"));

  expect(waits(2)).toEqual([1_000, 1_002]);
  clock.advance(990);
  expect(waits(2)).toEqual([14, 16]);
  clock.advance(70_000);
  attempt(answered(429, "1"));
  expect(waits(3)).toEqual([1_000, 1_010, 1_020]);
});

test("a hold is five minutes at most, and a shorter one does not end a longer one", () => {
  const { attempt, enter, end, clock } = someBreakers();
  const permit = permitOf(enter());
  attempt(answered(503, "86400"));

  end(permit, answered(503, "1"));
  clock.advance(299_999);
  expect(enter().kind).toBe("wait");
  clock.advance(1);

  expect(enter().kind).toBe("go");
});

test("a probe that is told to wait opens the breaker again, and the next probes wait as long as it was told", () => {
  const { open, enter, end, waits, clock } = someBreakers();
  open();
  clock.advance(5_000);

  expect(end(permitOf(enter()), answered(429, "60")).change).toMatchObject({
    kind: "reopened",
  });
  expect(waits(4)).toEqual([60_000, 60_000, 60_000, 61_000]);
  clock.advance(59_999);
  expect(enter()).toMatchObject({ kind: "wait", reason: "breaker_open" });
  clock.advance(1);
  expect(enter().kind).toBe("go");
});

test("a delivery that waited for a breaker of another process finds it half-open: three go, and no more", () => {
  const { breakers, enter, end } = someBreakers();

  const entries = Array.from({ length: 5 }, () =>
    enter("ep_1", "breaker_open"),
  );

  expect(entries.map(({ kind }) => kind)).toEqual([
    "go",
    "go",
    "go",
    "wait",
    "wait",
  ]);
  const [first] = entries;
  end(permitOf(first!), WELL);
  expect(enter().kind).toBe("wait");
  expect(breakers.passageOf("ep_1")).toBe("decision");
  enter("ep_2", "breaker_open", true);
  expect(breakers.passageOf("ep_2")).toBe("attempt");
});

test("what becomes of the next delivery: attempted, deferred, a probe, or left where it is until the probes are decided", () => {
  const { breakers, open, enter, end, clock } = someBreakers();
  const seen = [breakers.passageOf("ep_1")];
  const see = () => seen.push(breakers.passageOf("ep_1"));
  open();
  see();
  clock.advance(5_000);
  see();
  const permits = [enter(), enter(), enter()].map(permitOf);
  see();
  breakers.undecided("ep_1", permits[0]!);
  see();
  permits[0] = permitOf(enter());
  see();
  for (const permit of permits) end(permit, WELL);
  see();

  expect(seen).toEqual([
    "attempt",
    "deferral",
    "probe",
    "decision",
    "probe",
    "decision",
    "attempt",
  ]);
});

test("where what had a probe's slot never comes back, the next delivery alone decides", () => {
  const { open, waits, enter, end, clock } = someBreakers();
  open();
  waits(3);
  clock.advance(5_000);
  expect(end(permitOf(enter()), WELL).change).toBeNull();
  clock.advance(76_000);

  expect(end(permitOf(enter()), WELL).change).toEqual({ kind: "closed" });
});

test("endpoints that only succeed are not kept in memory, and those that failed are forgotten after fifteen idle minutes", () => {
  const { breakers, attempt, open, enter, clock } = someBreakers();
  for (let n = 0; n < 1_000; n += 1) attempt(WELL, `ep_${n}`);
  attempt(answered(404), "ep_refusing");
  expect(breakers.size).toBe(0);
  open("ep_2");
  attempt(DOWN, "ep_3");
  expect(breakers.size).toBe(2);

  clock.advance(14 * 60_000);
  enter("ep_3");
  expect(breakers.size).toBe(2);
  clock.advance(2 * 60_000);
  enter("ep_3");

  expect(breakers.size).toBe(1);
});

test("the breakers are counted by state, and idle ones are forgotten then, also if no delivery comes any more", () => {
  const { breakers, open, enter, end, clock } = someBreakers();

  open("ep_1");
  open("ep_2");
  expect(breakers.counts()).toMatchObject({ open: 2, half_open: 0 });
  clock.advance(5_000);
  const probe = permitOf(enter("ep_1"));
  expect(breakers.counts()).toMatchObject({ open: 1, half_open: 1 });
  end(probe, WELL);
  expect(breakers.counts()).toMatchObject({ open: 1, half_open: 0 });
  clock.advance(15 * 60_000 + 1);

  expect(breakers.counts()).toMatchObject({ open: 0, half_open: 0 });
  expect(breakers.size).toBe(0);
});
