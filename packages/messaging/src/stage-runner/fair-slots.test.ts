/** Lanes that never answer, beside others that do, in a runner with few slots and a small window. */
import { expect, test } from "@jest/globals";
import {
  fakeClock,
  inOneLane,
  soon,
  turns,
  useStageRunner,
  type FakeClock,
  type RunnerUnderTest,
} from "@postrider/testkit";
import type { LaneStanding, Verdict } from "../stage.ts";

const SLOTS = 16;

const runners = useStageRunner();
let under: RunnerUnderTest;
let clock: FakeClock;
let deferred: string[];

/** A lane is called `tenant-standing-anything`. It holds partition 0, of which 100 records may be open. */
async function started(): Promise<RunnerUnderTest> {
  clock = fakeClock();
  deferred = [];
  under = runners.create({
    clock,
    limits: { maxInFlight: SLOTS, maxOpenPerPartition: 100 },
    stage: {
      // The names are made by these tests.
      laneStanding: (lane) => lane.split("-")[1] as LaneStanding,
      groupOf: ({ value }) => value.split("-")[0]!,
      defer: ({ value }) => {
        deferred.push(value);
        return [];
      },
    },
  });
  await under.startWith(0);
  return under;
}

function append(kind: string, count: number): void {
  for (let n = 0; n < count; n++) under.consumer.append(0, `${kind}-${n}/${n}`);
}

const startedOf = (kind: string): number =>
  under.started.filter((value) => value.startsWith(kind)).length;

/** Answers each handler of this kind at once and hands fetched records on, until so many have started. */
async function answer(kind: string, count: number): Promise<void> {
  await soon(() => {
    clock.advance(50);
    under.consumer.heartbeatAt = clock.monotonic();
    under.consumer.deliver();
    const one = under.handling.find(({ value }) => value.startsWith(kind));
    one?.emit();
    return startedOf(kind) === count;
  });
}

test.each([
  // All unknown, and all of the same tenant.
  ["acme-unknown", "acme-proven", SLOTS / 2],
  ["acme-suspect", "acme-proven", SLOTS / 8],
  // Both unknown.
  ["greedy-unknown", "modest-unknown", SLOTS / 2],
])(
  "lanes that never answer (%s), more than the window holds, keep nobody else (%s) from anything",
  async (dead, healthy, most) => {
    const { consumer } = await started();
    append(dead, 300);
    append(healthy, 60);
    append(dead, 300);
    append(healthy, 60);

    consumer.deliver();
    expect(startedOf(dead)).toBeLessThanOrEqual(most);
    await answer(healthy, 120);

    expect(startedOf(dead)).toBeLessThanOrEqual(most);
    expect(deferred.length).toBeGreaterThan(400);
    expect(deferred.filter((value) => value.startsWith(healthy))).toEqual([]);
  },
);

test("an endpoint with nine tenths of the records, which may take every slot, takes no turn from the others: what was fetched of them starts within a turn of each lane", async () => {
  const small = Array.from({ length: 9 }, (_, n) => `acme-proven-small${n}`);
  const under = await runners.started([], {
    limits: { maxInFlight: SLOTS, maxOpenPerPartition: 100 },
    stage: {
      laneConcurrency: () => SLOTS,
      laneStanding: () => "proven",
      groupOf: () => "acme",
      defer: () => [],
    },
  });
  // Nine of the big one before each of the others.
  under.read(
    ...small.flatMap((lane, n) => [
      ...inOneLane("acme-proven-big", 9, 9 * n),
      `${lane}/0`,
    ]),
  );
  const isSmall = (value: string) => value.includes("small");

  for (let ended = 0; under.started.filter(isSmall).length < 9; ended++) {
    expect(ended).toBeLessThanOrEqual(small.length + 1);
    under.handling[0]!.emit();
    await turns();
  }

  expect(under.started.length).toBeLessThan(30);
});

test("new lanes that all answer are not deferred, however many there are for the slots of the unknown", async () => {
  const { consumer } = await started();
  append("acme-unknown", 400);

  consumer.deliver();
  await soon(() => {
    clock.advance(5);
    under.consumer.heartbeatAt = clock.monotonic();
    under.consumer.deliver();
    under.handling.at(0)?.emit();
    return startedOf("acme") === 400;
  });

  expect(deferred).toEqual([]);
});

test("while a tenant's backlog is deferred as fast as the output takes it, another tenant's attempts start", async () => {
  const attempts: (() => void)[] = [];
  let deferrals = 0;
  let started = 0;
  const under = await runners.started([], {
    limits: { maxUnacknowledged: 20 },
    stage: {
      laneConcurrency: (lane) => (lane === "dead" ? Infinity : 16),
      groupOf: ({ value }) => value.split("/")[0]!,
      handle: ({ raw }) => {
        const verdict: Verdict = {
          kind: "emit",
          records: [{ topic: "attempts", key: raw.key, value: raw.value! }],
        };
        if (raw.value!.toString().startsWith("dead")) {
          deferrals++;
          return verdict;
        }
        started++;
        const { promise, resolve } = Promise.withResolvers<Verdict>();
        attempts.push(() => resolve(verdict));
        return promise;
      },
    },
  });
  under.output.isPrompt = false;
  under.consumer.append(
    0,
    ...inOneLane("dead", 2_000),
    ...inOneLane("well", 200),
  );
  while (under.consumer.deliver());

  for (let round = 0; round < 60; round++) {
    under.output.acknowledge();
    for (const end of attempts.splice(0)) end();
    await turns(3);
  }

  expect(started).toBe(200);
  expect(deferrals).toBeLessThan(2_000);
});
