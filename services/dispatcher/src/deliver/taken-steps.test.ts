import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { deliveryIdOf } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import { TakenSteps, twinDistanceMs } from "./taken-steps.ts";

const REMEMBER_MS = 40_000;

const idOf = (n: number | string): string =>
  deliveryIdOf(sha256Text, {
    tenantId: "acme",
    eventId: `e_${n}`,
    endpointId: "ep_1",
    replayId: null,
  });

function steps({ maxBytes }: { maxBytes?: number } = {}) {
  const lost: number[] = [];
  let now = 1_000_000_000;
  const taken = new TakenSteps({
    rememberMs: REMEMBER_MS,
    now: () => now,
    forgottenEarly: (count) => lost.push(count),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  let offset = 0;
  return {
    taken,
    lost,
    now: () => now,
    wait: (ms: number) => (now += ms),
    take: (
      deliveryId: string,
      { step = 0, at = now, partition = 0, offset: given = offset++ } = {},
    ): boolean =>
      taken.take(
        { topic: "t", partition, offset: given, timestamp: at },
        deliveryId,
        step,
      ),
  };
}

test("a twin is known within its time, however many records come between", () => {
  const { take, wait } = steps();
  take(idOf("twin"));

  // 2,000 a second.
  for (let n = 0; n < 79_000; n++) {
    if (n % 2 === 0) wait(1);
    take(idOf(n));
  }

  expect(take(idOf("twin"))).toBe(false);
});

test("steps are forgotten when records are read that were written long after them, and their memory is free again", () => {
  const { taken, take, wait } = steps();
  for (let n = 0; n < 30_000; n++) take(idOf(n));
  const { bytes } = taken;

  for (let n = 0; n < 20_000; n++) {
    if (n % 2_500 === 0) wait(REMEMBER_MS / 3);
    take(idOf(`later ${n}`));
  }

  expect(taken.bytes).toBeLessThan(bytes / 2);
  expect(take(idOf(0))).toBe(true);
});

test("the last 10,000 steps are known, however long ago they were written", () => {
  const { take, wait } = steps();
  take(idOf("twin"));

  for (let n = 0; n < 9_999; n++) {
    wait(REMEMBER_MS);
    take(idOf(n));
  }

  expect(take(idOf("twin"))).toBe(false);
});

test("time is measured by record timestamps: a twin is known even if the log is read late", () => {
  const { take, wait, now } = steps();
  const written = now();
  wait(3_600_000);
  take(idOf("twin"), { at: written });

  wait(REMEMBER_MS * 10);
  for (let n = 0; n < 1000; n++)
    take(idOf(n), { at: written + (n * REMEMBER_MS) / 1001 });

  expect(take(idOf("twin"), { at: written + REMEMBER_MS })).toBe(false);
});

test.each([
  ["yet to come", 2 ** 43],
  ["long ago", 0],
])(
  "a record whose time is %s neither ends the time of the others nor keeps them for ever",
  (_name, at) => {
    const { taken, take, wait } = steps();
    const pass = (name: string, isOdd: (n: number) => boolean): void => {
      for (let n = 0; n < 15_000; n++) {
        take(idOf(`${name} ${n}`), isOdd(n) ? { at } : {});
        wait(REMEMBER_MS / 15_001);
      }
    };
    take(idOf("twin"));
    pass("before", (n) => n % 10 === 0);

    expect(take(idOf("twin"))).toBe(false);

    for (let time = 0; time < 3; time++) pass(`${time}`, (n) => n === 1);
    expect(taken.bytes).toBeLessThan(4 << 20);
    expect(take(idOf("twin"))).toBe(true);
  },
);

test("records whose clocks differ by more than the time of a table do not make many tables", () => {
  const { taken, take, wait, now } = steps();

  for (let n = 0; n < 10_000; n++) {
    take(idOf(n), { at: now() - (n % 2) * REMEMBER_MS * 0.9 });
    wait(1);
  }

  expect(taken.bytes).toBeLessThan(16 * 65_536);
});

test("the memory of all partitions is bounded: the oldest steps are forgotten early, and forgottenEarly is called", () => {
  const maxBytes = 1 << 20;
  const { taken, lost, take, wait } = steps({ maxBytes });
  for (let n = 0; n < 20_000; n++) take(idOf(n), { partition: 0 });
  wait(REMEMBER_MS / 4);
  take(idOf("last"), { partition: 0 });

  for (let n = 0; n < 20_000; n++) take(idOf(n), { partition: 1 });

  expect(lost).toEqual([20_000]);
  expect(taken.bytes).toBeLessThanOrEqual(maxBytes);
  expect(take(idOf("last"), { partition: 0 })).toBe(false);
  expect(take(idOf(0), { partition: 1 })).toBe(false);
});

test("steps whose time is over are forgotten for lack of memory without a call of forgottenEarly", () => {
  const maxBytes = 1 << 20;
  const { taken, lost, take, wait } = steps({ maxBytes });
  for (let n = 0; n < 100_000; n++) {
    if (n % 2_500 === 0) wait(REMEMBER_MS);
    take(idOf(n), { partition: Math.floor(n / 10_000) });
  }
  for (let partition = 0; partition < 10; partition++)
    take(idOf(`last ${partition}`), { partition });

  expect(lost).toEqual([]);
  expect(taken.bytes).toBeLessThanOrEqual(maxBytes);
});

test("the memory of a revoked partition is freed", () => {
  const { taken, take } = steps();
  for (let n = 0; n < 1000; n++) take(idOf(n));

  taken.forget({ topic: "t", partition: 0 });

  expect(taken.bytes).toBe(0);
  expect(take(idOf(0))).toBe(true);
});

test("ids of another form, and each step of an id, have different keys", () => {
  const { take } = steps();
  const ids = ["", "a", "b", "dlv_a", "dlv_+".padEnd(28, "/"), idOf(1)];
  for (const id of ids)
    for (let step = 0; step < 50; step++)
      expect([id, step, take(id, { step })]).toEqual([id, step, true]);

  for (const id of ids)
    for (let step = 0; step < 50; step++)
      expect(take(id, { step })).toBe(false);
});

test("agrees with a plain map of the lowest offset of each step", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          id: fc.nat(40),
          step: fc.nat(3),
          partition: fc.nat(1),
          // Mostly upwards; a record that is read again comes at its old offset.
          back: fc.nat(3),
        }),
        { maxLength: 400 },
      ),
      (records) => {
        const { take } = steps();
        const lowest = new Map<string, number>();
        records.forEach(({ id, step, partition, back }, at) => {
          const offset = 2 ** 32 - 200 + Math.max(0, at - back);
          const key = `${id}.${step}.${partition}`;
          const before = lowest.get(key) ?? Infinity;

          expect(take(idOf(id), { step, partition, offset })).toBe(
            before >= offset,
          );

          lowest.set(key, Math.min(before, offset));
        });
      },
    ),
  );
});

test("twins after a death are at most a session timeout and two minutes apart", () => {
  expect(twinDistanceMs(30_000)).toBe(150_000);
});
