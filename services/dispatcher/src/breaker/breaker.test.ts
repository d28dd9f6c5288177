import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Breaker, PROBES, type BreakerChange, type Permit } from "./breaker.ts";
import type { Evidence } from "./evidence.ts";

/** A breaker with a clock of its own, whose endpoint has answered before and has many deliveries waiting, unless a test says otherwise. */
function aBreaker(
  given: { hasAnswered?: boolean; probesToCome?: number } = {},
) {
  const { hasAnswered = true, probesToCome = PROBES } = given;
  let now = 0;
  const breaker = new Breaker(() => 0);
  const ended = (permit: Permit, evidence: Evidence) =>
    breaker.ended(permit, { evidence, now, hasAnswered, probesToCome });
  const begin = () => (breaker.mayBegin(now) ? breaker.begin(now) : null);
  const attempt = (evidence: Evidence): BreakerChange | null => {
    const permit = begin();
    if (permit === null) throw new Error("the breaker lets nothing pass");
    return ended(permit, evidence);
  };
  return {
    breaker,
    begin,
    ended,
    attempt,
    attempts: (count: number, evidence: Evidence) =>
      Array.from({ length: count }, () => attempt(evidence)).at(-1) ?? null,
    pass: (ms: number) => void (now += ms),
    isShut: () => breaker.isShut(now),
    /** Fails often enough to open, and reports for how long. */
    open: () => {
      for (;;) {
        const change = attempt("failing");
        if (change !== null) return openMsOf(change);
      }
    },
  };
}

const openMsOf = (change: BreakerChange | null): number =>
  change === null || change.kind === "closed" ? NaN : change.openMs;

test("a breaker opens at the tenth failure in a row, and then nothing passes for five seconds", () => {
  const { attempts, attempt, begin, pass, breaker } = aBreaker();

  expect(attempts(9, "failing")).toBeNull();
  expect(attempt("failing")).toMatchObject({ kind: "opened", openMs: 5_000 });
  pass(4_999);

  expect(begin()).toBeNull();
  expect(breaker.state).toBe("open");
});

test("a success in between starts the count again, and refusals neither count nor break it", () => {
  const { attempts, attempt } = aBreaker();

  attempts(9, "failing");
  attempt("well");
  attempts(9, "failing");
  for (const evidence of ["refusing", "busy", "none"] as const)
    expect(attempts(50, evidence)).toBeNull();

  expect(attempt("failing")).toMatchObject({ kind: "opened" });
});

test("a success never opens it, however many attempts failed before: the endpoint may just be well again", () => {
  const { attempts, attempt, pass } = aBreaker();
  for (let n = 0; n < 9; n += 1) {
    attempts(9, "failing");
    attempt("well");
  }
  pass(10_000);

  expect(attempts(9, "well")).toBeNull();
  expect(attempt("failing")).toMatchObject({
    kind: "opened",
    why: "82 of 100 attempts within a minute failed",
  });
});

test("an endpoint that has never answered opens it at the fifth failure", () => {
  const { attempts, attempt } = aBreaker({ hasAnswered: false });

  expect(attempts(4, "failing")).toBeNull();
  expect(attempt("failing")).toMatchObject({
    kind: "opened",
    why: "5 attempts in a row failed, and none was ever answered",
  });
});

test("when its time is over exactly three probes pass, and no more until they are decided", () => {
  const { open, pass, begin, breaker } = aBreaker();
  pass(open());

  const permits = Array.from({ length: 10 }, begin);

  expect(permits.filter((permit) => permit !== null)).toHaveLength(3);
  expect(breaker.state).toBe("half_open");
});

test("it closes when all three probes are answered, also by a refusal", () => {
  const { open, pass, begin, ended, breaker } = aBreaker();
  pass(open());
  const permits = [begin()!, begin()!, begin()!];

  const changes = (["well", "refusing", "well"] as const).map((shown, i) =>
    ended(permits[i]!, shown),
  );

  expect(changes).toEqual([null, null, { kind: "closed" }]);
  expect(breaker.state).toBe("closed");
});

test.each(["failing", "busy"] as const)(
  "one %s probe opens it again once all three have begun, and the two others no longer count",
  (shown) => {
    const { open, pass, begin, ended, isShut } = aBreaker();
    pass(open());
    const probes = [begin()!, begin()!];

    expect(ended(probes[0]!, shown)).toBeNull();
    const last = begin()!;
    expect(begin()).toBeNull();

    expect(ended(probes[1]!, "well")).toMatchObject({ kind: "reopened" });
    expect(ended(last, "well")).toBeNull();
    expect(isShut()).toBe(true);
  },
);

test("a failed probe opens it again at once when no other one is under way: where one attempt at a time is allowed, one time-out is enough", () => {
  const { open, pass, attempt, begin, ended, isShut } = aBreaker();
  pass(open());
  expect(attempt("failing")).toMatchObject({ kind: "reopened" });
  expect(isShut()).toBe(true);
  pass(10_000);
  const probes = [begin()!, begin()!];

  expect(ended(probes[0]!, "failing")).toBeNull();

  expect(ended(probes[1]!, "well")).toMatchObject({ kind: "reopened" });
});

test("where only one delivery waits, its probe alone decides", () => {
  const well = aBreaker({ probesToCome: 1 });
  well.pass(well.open());
  const dead = aBreaker({ probesToCome: 1 });
  dead.pass(dead.open());

  expect(well.attempt("well")).toEqual({ kind: "closed" });
  expect(dead.attempt("failing")).toMatchObject({ kind: "reopened" });
});

test("each time that probes fail it stays open for half as long again, up to five minutes", () => {
  const { open, pass, attempts } = aBreaker();
  const openMs = [open()];

  for (let period = 0; period < 12; period += 1) {
    pass(openMs.at(-1)!);
    openMs.push(openMsOf(attempts(1, "failing")));
  }

  expect(openMs.map((ms) => Math.round(ms / 1_000))).toEqual([
    5, 8, 11, 17, 25, 38, 57, 85, 128, 192, 288, 300, 300,
  ]);
});

test("an endpoint that recovers is found out within half of the time for which it was down, and five seconds", () => {
  const { open, pass, attempts } = aBreaker();
  let downMs = 0;
  let openMs = open();
  const late: boolean[] = [];

  for (let period = 0; period < 10; period += 1) {
    // Open times are whole milliseconds.
    late.push(openMs > downMs / 2 + 5_010);
    pass(openMs);
    downMs += openMs;
    openMs = openMsOf(attempts(1, "failing"));
  }

  expect(late).toEqual(Array.from({ length: 10 }, () => false));
});

test("jitter shortens an open time by a fifth at most, so none is longer than five minutes", () => {
  const breaker = new Breaker(() => 0.999_999);
  let change: BreakerChange | null = null;

  while (change === null)
    change = breaker.ended(breaker.begin(0), {
      evidence: "failing",
      now: 0,
      hasAnswered: true,
      probesToCome: PROBES,
    });

  expect(openMsOf(change)).toBe(4_000);
});

test("one that closed a moment ago opens for longer than before, and after five minutes for five seconds again", () => {
  const soon = aBreaker();
  soon.pass(soon.open());
  soon.attempts(PROBES, "well");
  soon.pass(299_999);
  const later = aBreaker();
  later.pass(later.open());
  later.attempts(PROBES, "well");
  later.pass(300_000);

  expect([soon.open(), later.open()]).toEqual([7_500, 5_000]);
});

test("attempts that began before it opened say nothing about it afterwards", () => {
  const { open, begin, ended, pass, attempts, breaker } = aBreaker();
  const early = Array.from({ length: 6 }, () => begin()!);
  pass(open());
  const probes = [begin()!, begin()!];

  for (const permit of early) expect(ended(permit, "failing")).toBeNull();
  for (const permit of probes) expect(ended(permit, "well")).toBeNull();

  expect(breaker.state).toBe("half_open");
  expect(attempts(1, "well")).toEqual({ kind: "closed" });
});

test("a probe that was not made gives its place to another", () => {
  const { open, pass, begin, ended, attempts, breaker } = aBreaker();
  pass(open());
  const permits = [begin()!, begin()!, begin()!];

  breaker.undecided(permits[0]!);
  ended(permits[1]!, "none");
  ended(permits[2]!, "well");

  expect(attempts(2, "well")).toEqual({ kind: "closed" });
});

test.each([1, PROBES])(
  "what %i probes showed is forgotten when no other one has begun for 75 s, also if nothing was ever heard of them",
  (probes) => {
    const { open, pass, begin, ended, attempts, breaker } = aBreaker();
    pass(open());
    const early = Array.from({ length: probes }, () => begin()!);
    pass(75_000);
    expect(breaker.isStale(75_000 + 5_000)).toBe(false);
    expect(begin() === null).toBe(probes === PROBES);
    pass(75_001);
    expect(attempts(1, "well")).toBeNull();

    for (const permit of early) expect(ended(permit, "failing")).toBeNull();

    expect(attempts(PROBES - 1, "well")).toEqual({ kind: "closed" });
  },
);

test("a probe that failed long ago, while another one was lost, does not open it again", () => {
  const { open, pass, begin, ended, attempts } = aBreaker();
  pass(open());
  const probes = [begin()!, begin()!];
  ended(probes[0]!, "failing");

  pass(600_000);

  expect(attempts(1, "well")).toBeNull();
  expect(attempts(PROBES - 1, "well")).toEqual({ kind: "closed" });
});

const evidence = fc.constantFrom<Evidence>(
  "well",
  "failing",
  "failing",
  "failing",
  "refusing",
  "busy",
  "none",
);
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("begin") }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("end"),
        evidence,
        which: fc.nat(50),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("lose"), which: fc.nat(50) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.nat(400_000) }),
    },
  ),
  { maxLength: 400 },
);

test("whatever happens, nothing passes while it is open, three probes at most pass while it is half-open, and it can always close", () => {
  fc.assert(
    fc.property(
      steps,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (all, random) => {
        let now = 0;
        const breaker = new Breaker(() => random);
        const shown = { hasAnswered: true, probesToCome: PROBES };
        const underWay: Permit[] = [];
        const probes = new Map<Permit, number>();
        const begin = () => {
          if (!breaker.mayBegin(now)) return;
          expect(breaker.isShut(now)).toBe(false);
          const permit = breaker.begin(now);
          underWay.push(permit);
          if (breaker.state !== "half_open") return;
          probes.set(permit, (probes.get(permit) ?? 0) + 1);
          expect(probes.get(permit)).toBeLessThanOrEqual(PROBES);
        };
        const taken = (which: number) =>
          underWay.splice(which % (underWay.length || 1), 1)[0];
        for (const step of all) {
          if (step.kind === "begin") begin();
          else if (step.kind === "pass") now += (step as { ms: number }).ms;
          else {
            const { which, evidence: kind } = step as {
              which: number;
              evidence?: Evidence;
            };
            const permit = taken(which);
            if (permit === undefined) continue;
            if (kind === undefined || kind === "none")
              // Its place is free again.
              probes.set(permit, (probes.get(permit) ?? 0) - 1);
            if (kind === undefined) breaker.undecided(permit);
            else breaker.ended(permit, { ...shown, evidence: kind, now });
          }
        }
        now += 400_000;
        for (let tries = 0; breaker.state !== "closed"; tries += 1) {
          expect(tries).toBeLessThan(4 * PROBES);
          if (!breaker.mayBegin(now)) now += 400_000;
          else
            breaker.ended(breaker.begin(now), {
              ...shown,
              evidence: "well",
              now,
            });
        }
      },
    ),
  );
});
