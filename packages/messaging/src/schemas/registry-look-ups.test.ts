import { expect, test } from "@jest/globals";
import { fakeClock, testEffects, turns } from "@postrider/testkit";
import type { WriterSchema } from "./avro-codec.ts";
import { createLookUps } from "./registry-look-ups.ts";

const FOUND: WriterSchema = { kind: "found", json: '"int"' };
const ABSENT: WriterSchema = { kind: "absent", detail: "none" };

/** Look-ups whose answers the test gives. `random01` is 1: each back-off has its full length. */
function underTest() {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const asked: {
    readonly id: number;
    readonly at: number;
    answer(schema: WriterSchema): Promise<void>;
    fail(error?: Error): Promise<void>;
  }[] = [];
  const lookUps = createLookUps({
    ...effects,
    random01: () => 1,
    ask: async (id) => {
      const { promise, resolve, reject } =
        Promise.withResolvers<WriterSchema>();
      asked.push({
        id,
        at: clock.monotonic(),
        async answer(schema) {
          resolve(schema);
          await turns();
        },
        async fail(error = new Error("503")) {
          reject(error);
          await turns();
        },
      });
      return await promise;
    },
  });
  return { clock, lookUps, asked, log: effects.log };
}

test("an id is asked for once at a time, and then known", async () => {
  const { lookUps, asked } = underTest();

  expect(lookUps.byId(7)).toEqual({ kind: "unknown" });
  expect(lookUps.byId(7)).toEqual({ kind: "unknown" });
  expect(asked.map(({ id }) => id)).toEqual([7]);
  await asked[0]!.answer(FOUND);

  expect(lookUps.byId(7)).toEqual(FOUND);
  expect(asked).toHaveLength(1);
});

test("what the registry does not have is asked for again after ten seconds", async () => {
  const { lookUps, asked, clock } = underTest();
  lookUps.byId(7);
  await asked[0]!.answer(ABSENT);

  clock.advance(9_999);
  expect(lookUps.byId(7)).toEqual(ABSENT);
  expect(asked).toHaveLength(1);

  clock.advance(1);
  expect(lookUps.byId(7)).toEqual({ kind: "unknown" });
  expect(asked).toHaveLength(2);
});

test("any number of ids makes four requests at a time and fifty a second, first come, first served", async () => {
  const { lookUps, asked, clock } = underTest();
  for (let id = 1; id <= 1000; id++) lookUps.byId(id);
  expect(asked.map(({ id }) => id)).toEqual([1, 2, 3, 4]);

  for (let n = 0; n < asked.length; n++) await asked[n]!.answer(ABSENT);
  expect(asked).toHaveLength(50);

  for (let second = 1; second <= 5; second++) {
    clock.advance(1000);
    lookUps.byId(1000);
    for (let n = 50 * second; n < asked.length; n++)
      await asked[n]!.answer(ABSENT);
  }
  expect(asked).toHaveLength(300);
  expect(asked.map(({ id }) => id)).toEqual(
    Array.from({ length: 300 }, (_, n) => n + 1),
  );
});

test("while the registry fails it gets one request at a time, less and less often, whatever is wanted; one answer ends that", async () => {
  const { lookUps, asked, clock, log } = underTest();
  const want = () => {
    for (let id = 1; id <= 50; id++) lookUps.byId(id);
  };
  want();
  for (const each of asked.slice()) await each.fail();
  expect(asked).toHaveLength(4);
  expect(lookUps.problem()).toMatch(/does not answer as it should.*503/);

  const at: number[] = [];
  while (clock.monotonic() < 40_000) {
    clock.advance(50);
    want();
    for (const each of asked.slice(4 + at.length)) {
      at.push(each.at);
      await each.fail();
    }
  }
  const gaps = at.map((time, n) => time - (at[n - 1] ?? 0));
  expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);

  while (asked.length === 4 + at.length) {
    clock.advance(50);
    want();
  }
  await asked.at(-1)!.answer(FOUND);

  expect(lookUps.problem()).toBe(null);
  expect(log.of("registry.answered")).toHaveLength(1);
  expect(asked).toHaveLength(4 + at.length + 1 + 4);
});

test("an id whose look-up always fails does not hold others up", async () => {
  const { lookUps, asked, clock } = underTest();
  let next = 100;
  const failedAt: number[] = [];
  while (clock.monotonic() < 30_000) {
    lookUps.byId(7);
    lookUps.byId(next);
    for (const each of asked.splice(0)) {
      if (each.id === 7) {
        failedAt.push(each.at);
        await each.fail();
      } else {
        await each.answer(FOUND);
        next++;
      }
    }
    clock.advance(250);
  }

  expect(next).toBeGreaterThan(150);
  expect(failedAt.length).toBeLessThan(10);
});

test("a failure is told for a minute, and no longer if nobody asks", async () => {
  const { lookUps, asked, clock } = underTest();
  lookUps.byId(7);
  await asked[0]!.fail();

  clock.advance(59_999);
  expect(lookUps.problem()).toMatch(/503/);
  clock.advance(1);

  expect(lookUps.problem()).toBe(null);
});

test("a host of which no address answers is told with each address", async () => {
  const { lookUps, asked } = underTest();
  lookUps.byId(7);

  await asked[0]!.fail(
    new AggregateError([new Error("refused by a"), new Error("refused by b")]),
  );

  expect(lookUps.problem()).toMatch(/refused by a; Error: refused by b/);
});

test("what was registered is known without a look-up", () => {
  const { lookUps, asked } = underTest();

  lookUps.learn(7, FOUND);

  expect(lookUps.byId(7)).toEqual(FOUND);
  expect(asked).toEqual([]);
});
