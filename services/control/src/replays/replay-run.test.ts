import { setImmediate } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Delivery, Endpoint, Replay } from "@postrider/core";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import {
  aDeadLetter,
  aDelivery,
  anEndpoint,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import { aReplay } from "../../fixtures/a-replay.ts";
import type { Candidate } from "./candidate.ts";
import type { Page } from "./past-deliveries.ts";
import { redrivenId } from "./redriven-delivery.ts";
import { runReplay } from "./replay-run.ts";
import { advanced, type Progress } from "./replay.ts";
import type { LeftOut } from "./replay-store.ts";

const ENDPOINT = anEndpoint({ version: 3 });

/** A replay of past deliveries, each of an event of its own and with a dead letter. */
function aRun(fields: Partial<Replay> = {}) {
  const replays = new Map<string, Replay>();
  const put = (replay: Replay): void => void replays.set(replay.id, replay);
  put(aReplay(fields));
  const past: Delivery[] = [];
  const sent: Delivery[] = [];
  const leftOut: LeftOut[] = [];
  const notes: string[] = [];
  const state = {
    endpoint: ENDPOINT as Endpoint | undefined,
    /** Of a past delivery by its number: what else the event's deliveries show. */
    others: new Map<number, Candidate["deliveries"]>(),
    goneFrom: Infinity,
    unreadableAt: -1,
    isWaitedFor: false,
    runsLeft: new Set<string>(),
    heartbeatAgeMs: 0,
    behind: 0,
    opened: 0,
    /** The limits of the pages that were asked for. */
    limits: [] as number[],
    /** The offsets of the dead letters that were read. */
    read: [] as number[],
    brokenAt: -1,
    beforeCheckpoint: (): void => {},
    /** As it was when it was told that everything was sent or left out. */
    finished: [] as Replay[],
    whileTold: async (): Promise<void> => {},
    beforeSend: async (_nth: number): Promise<void> => {},
  };
  const clock = { offsetMs: 0 };
  const effects = testEffects({
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now() + clock.offsetMs,
    },
  });
  const stop = new AbortController();

  function candidateOf(delivery: Delivery, at: number): Candidate {
    const { tenantId, receivedAt, eventId, endpointId } = delivery;
    const own = redrivenId(delivery, "rpl_1");
    const isSent = sent.some(({ deliveryId }) => deliveryId === own);
    return {
      tenantId,
      receivedAt,
      eventId,
      endpointId,
      deliveries: [
        {
          id: delivery.deliveryId,
          status: "expired",
          deadLetterReason: "exhausted",
        },
        ...(state.others.get(at) ?? []),
        ...(isSent
          ? [{ id: own, status: "pending", deadLetterReason: "" }]
          : []),
      ],
    };
  }

  const run = () =>
    runReplay(
      {
        ...effects,
        store: {
          get: (id) => replays.get(id),
          all: () => [...replays.values()],
          async checkpoint(id: string, progress: Progress, left) {
            state.beforeCheckpoint();
            leftOut.push(...left);
            put(advanced(replays.get(id)!, progress));
            return replays.get(id);
          },
          note: async (_id, detail) => void notes.push(detail),
          async done(id) {
            const replay = replays.get(id)!;
            if (replay.state === "running") put({ ...replay, state: "done" });
          },
        },
        endpoints: { get: () => state.endpoint },
        past: {
          async page(_selected, after, limit): Promise<Page> {
            state.limits.push(limit);
            const from =
              after === null
                ? 0
                : past.findIndex(({ eventId }) => eventId === after.eventId) +
                  1;
            const candidates = past.map(candidateOf).slice(from, from + limit);
            return {
              candidates,
              upTo: candidates.at(-1) ?? null,
              letters: new Map(
                past.map(({ deliveryId }, offset) => [
                  deliveryId,
                  { partition: 0, offset },
                ]),
              ),
            };
          },
          event: async () => undefined,
        },
        openLetters: async () => ({
          read: async ({ offset }): Promise<RawRecord | null> => {
            state.read.push(offset);
            if (offset === state.brokenAt) throw new Error("Kafka is away");
            return offset >= state.goneFrom
              ? null
              : {
                  topic: "d",
                  partition: 0,
                  offset,
                  timestamp: 0,
                  key: null,
                  value: null,
                  headers: {},
                };
          },
          stop: async () => void (state.opened += 1),
        }),
        decode: ({ offset }) =>
          offset === state.unreadableAt
            ? { kind: "unreadable", reason: "invalid", detail: "broken" }
            : {
                kind: "decoded",
                value: aDeadLetter({
                  deliveryId: past[offset]!.deliveryId,
                  delivery: past[offset]!,
                }),
              },
        unknownSchemaWaitMs: 0,
        offsets: {
          ranges: async (topic) => [
            { topic, partition: 0, start: 0, end: state.behind },
          ],
          committed: async () => [],
        },
        send: async ({ value }: OutRecord) => {
          const nth = sent.push(value as Delivery) - 1; // a replay sends deliveries only
          await state.beforeSend(nth);
        },
        async finished(replay) {
          state.finished.push(replay);
          await state.whileTold();
        },
        hasRun: (id) => state.runsLeft.has(id),
        heartbeatAgeMs: () => state.heartbeatAgeMs,
        sessionTimeoutMs: 1_000,
        lookEveryMs: 1,
      },
      "rpl_1",
      {
        signal: stop.signal,
        inSlot: (work) => work(() => state.isWaitedFor),
      },
    );
  return {
    run,
    state,
    sent,
    leftOut,
    notes,
    stop,
    put,
    pass: (ms: number) => (clock.offsetMs += ms),
    expire: (count: number, more: Partial<Delivery> = {}) => {
      for (let n = 0; n < count; n++)
        past.push(
          aDelivery({
            deliveryId: `dlv_${past.length}`,
            eventId: `evt_${String(past.length).padStart(5, "0")}`,
            ...more,
          }),
        );
    },
    replay: () => replays.get("rpl_1")!,
  };
}

const eventsOf = (sent: readonly Delivery[]) =>
  sent.map(({ eventId }) => Number(eventId.slice(4)));

test("a backfill leaves out what the endpoint's filter does not take, and a redrive asks no filter", async () => {
  const fill = (kind: "backfill" | "redrive") => {
    const made = aRun({ kind });
    made.state.endpoint = { ...ENDPOINT, filter: "payload.total > 100" };
    for (const payload of ['{"total":101}', '{"total":1}', "{}", "no JSON"])
      made.expire(1, { payload: new Uint8Array(Buffer.from(payload)) });
    return made;
  };
  const backfill = fill("backfill");
  const redrive = fill("redrive");

  await backfill.run();
  await redrive.run();

  expect(eventsOf(backfill.sent)).toEqual([0]);
  expect(backfill.replay()).toMatchObject({
    state: "done",
    sent: 1,
    leftOut: { filtered: 3 },
  });
  expect(backfill.leftOut).toEqual([]);
  expect(eventsOf(redrive.sent)).toEqual([0, 1, 2, 3]);
});

test("every past delivery is sent once, as a redrive to the endpoint as it is now", async () => {
  const { run, expire, sent, replay } = aRun();
  expire(1_200);

  await run();

  expect(eventsOf(sent).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 1_200 }, (_, n) => n),
  );
  expect(sent[0]).toMatchObject({
    trigger: "redrive",
    replayId: "rpl_1",
    endpointVersion: 3,
    step: 0,
  });
  expect(replay()).toMatchObject({ state: "done", sent: 1_200, leftOut: {} });
});

test("a run that is cut off between sending and its checkpoint is repeated, and sends nothing a second time that is recorded", async () => {
  const { run, expire, sent, state, replay } = aRun();
  expire(1_250);
  let checkpoints = 0;
  state.beforeCheckpoint = () => {
    if ((checkpoints += 1) === 2) throw new Error("fenced");
  };

  await expect(run()).rejects.toThrow("fenced");
  expect(sent).toHaveLength(1_000);
  expect(replay().sent).toBe(500);
  await run();

  expect(sent).toHaveLength(1_250);
  expect(replay()).toMatchObject({ state: "done", sent: 1_250 });
});

test("nothing is read before everything that was sent is recorded, and it says what it waits for", async () => {
  const { run, expire, sent, state, notes, stop } = aRun();
  expire(1);
  state.behind = 5;

  const running = run();
  await waitFor(() => notes.length > 0);
  stop.abort(new Error("the tenure is over"));

  await expect(running).rejects.toThrow("the tenure is over");
  expect(notes[0]).toBe(
    "waits: the dispatchers are 5 records of deliveries behind",
  );
  expect([state.limits, sent]).toEqual([[], []]);
});

test("it waits for an earlier replay that may send the same, and for what the run of a cancelled one hands over", async () => {
  const { run, expire, sent, state, notes, put } = aRun({ createdAt: 5 });
  expire(1);
  const earlier = aReplay({ id: "rpl_0", createdAt: 4, state: "paused" });
  put(earlier);
  state.runsLeft.add("rpl_0");

  const running = run();
  await waitFor(() => notes.length > 0);
  expect(notes[0]).toContain("waits for replay rpl_0");
  put({ ...earlier, state: "cancelled" });
  await waitFor(() => notes.at(-1)?.includes("may send the same") === true);
  expect(state.limits).toEqual([]);
  state.runsLeft.clear();
  await running;

  expect(sent).toHaveLength(1);
});

test("what is not sent is counted by its reason, and what its receiver may lack is told one by one", async () => {
  const { run, expire, sent, state, leftOut, replay } = aRun();
  expire(5);
  expire(1, { expiresAt: 1 });
  state.others.set(0, [
    { id: "dlv_x", status: "delivered", deadLetterReason: "" },
  ]);
  state.others.set(1, [
    { id: "dlv_x", status: "pending", deadLetterReason: "paused" },
  ]);
  state.unreadableAt = 2;

  await run();

  expect(eventsOf(sent)).toEqual([3, 4]);
  expect(leftOut.map(({ eventId, reason }) => [eventId, reason])).toEqual([
    ["evt_00002", "unreadable"],
    ["evt_00005", "expires_at_passed"],
  ]);
  expect(replay()).toMatchObject({
    state: "done",
    sent: 2,
    leftOut: { delivered: 1, parked: 1, unreadable: 1, expires_at_passed: 1 },
  });
});

test.each([
  ["deleted", undefined, "endpoint_deleted"],
  ["disabled", anEndpoint({ state: "disabled" }), "endpoint_disabled"],
])(
  "nothing is sent to an endpoint that is %s",
  async (_what, endpoint, reason) => {
    const { run, expire, sent, state, leftOut } = aRun();
    expire(1);
    state.endpoint = endpoint;

    await run();

    expect(sent).toEqual([]);
    expect(leftOut).toMatchObject([{ reason }]);
  },
);

test("a dead letter that retention has removed leaves its delivery out, where the event's payload is gone, too", async () => {
  const { run, expire, state, leftOut } = aRun();
  expire(2);
  state.goneFrom = 1;

  await run();

  expect(leftOut).toMatchObject([{ reason: "payload_gone" }]);
});

test("a run stops at the chunk after its replay was paused, and goes on from there", async () => {
  const { run, expire, sent, state, put, replay } = aRun();
  expire(1_250);
  state.beforeCheckpoint = () => put({ ...replay(), state: "paused" });

  await run();
  expect(sent).toHaveLength(500);
  state.beforeCheckpoint = () => {};
  put({ ...replay(), state: "running" });
  await run();

  expect(sent).toHaveLength(1_250);
  expect(replay()).toMatchObject({ state: "done", sent: 1_250 });
});

test("a run that has sent for a while gives its slot to one that waits, and goes on where it stopped", async () => {
  const { run, expire, sent, state, pass } = aRun();
  expire(1_250);
  state.isWaitedFor = true;
  state.beforeCheckpoint = () => void pass(10_000);

  await run();

  expect(sent).toHaveLength(1_250);
  expect(state.opened).toBe(4);
});

test("nothing is sent while the group's coordinator is silent: another replica may be the owner", async () => {
  const { run, expire, sent, state, stop } = aRun();
  expire(1);
  state.heartbeatAgeMs = 900;

  const running = run();
  await waitFor(() => state.limits.length > 0);
  stop.abort(new Error("the tenure is over"));

  await expect(running).rejects.toThrow("the tenure is over");
  expect(sent).toEqual([]);
});

test("large payloads are sent in smaller chunks: few bytes of them are in memory together", async () => {
  const { run, expire, sent, state } = aRun();
  expire(100, { payload: Buffer.alloc(300_000) });
  const sizes: number[] = [];
  state.beforeCheckpoint = () =>
    void sizes.push(sent.length - sizes.reduce((sum, size) => sum + size, 0));

  await run();

  expect(sent).toHaveLength(100);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(24);
});

test("a run does not end while it is still handing over: who waits for its end would not see that", async () => {
  const { run, expire, state } = aRun();
  expire(2);
  const slow = Promise.withResolvers<void>();
  let hasEnded = false;
  state.beforeSend = (n) => (n === 0 ? refused() : slow.promise);

  const running = run().finally(() => (hasEnded = true));
  const ended = expect(running).rejects.toThrow("refused");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(hasEnded).toBe(false);
  slow.resolve();

  await ended;
});

test("the next chunk is read while one is sent, and sent only once that one is stored", async () => {
  const { run, expire, sent, state, replay } = aRun();
  expire(700);
  const slow = Promise.withResolvers<void>();
  state.beforeSend = () => slow.promise;

  const running = run();
  await waitFor(() => state.read.includes(699));
  expect(replay().sent).toBe(0);
  expect(sent.length).toBeLessThanOrEqual(500);
  state.beforeCheckpoint = () => expect(sent.length - replay().sent).toBe(500);
  slow.resolve();
  await waitFor(() => replay().sent === 500);
  state.beforeCheckpoint = () => {};
  await running;

  expect(replay()).toMatchObject({ state: "done", sent: 700 });
});

test("a chunk is handed over bit by bit: at once, everybody's deliveries would stand behind it", async () => {
  const { run, expire, sent, state, replay } = aRun({ ratePerSecond: 500 });
  expire(250);
  const slow = Promise.withResolvers<void>();
  const at: number[] = [];
  state.beforeSend = async () => {
    at.push(performance.now());
    await slow.promise;
  };

  const running = run();
  await waitFor(() => state.read.includes(249));
  await setImmediate();
  expect(sent.length).toBeLessThan(25);
  slow.resolve();
  await running;

  expect(replay()).toMatchObject({ state: "done", sent: 250 });
  // Half a second of the rate. A slow machine takes longer, never less.
  expect(at.at(-1)! - at[0]!).toBeGreaterThan(400);
});

test("nothing more of a chunk is handed over once the tenure is over", async () => {
  const { run, expire, sent, state, stop, replay } = aRun({
    ratePerSecond: 500,
  });
  expire(250);
  state.beforeSend = async () => stop.abort(new Error("the tenure is over"));

  await expect(run()).rejects.toThrow("the tenure is over");

  expect(sent.length).toBeLessThan(25);
  expect(replay().sent).toBe(0);
});

test("what cannot be read ahead fails the run once everything before it is sent and stored", async () => {
  const { run, expire, sent, state, replay } = aRun();
  expire(700);
  state.brokenAt = 600;

  await expect(run()).rejects.toThrow("Kafka is away");
  expect([sent.length, replay().sent]).toEqual([500, 500]);
  state.brokenAt = -1;
  await run();

  expect(sent).toHaveLength(700);
  expect(replay()).toMatchObject({ state: "done", sent: 700 });
});

test("nobody minds that what a paused run has read ahead cannot be read", async () => {
  const { run, expire, sent, state, put, replay } = aRun();
  expire(700);
  state.brokenAt = 600;
  state.beforeSend = async () =>
    void (await waitFor(() => state.read.includes(600)));
  state.beforeCheckpoint = () => put({ ...replay(), state: "paused" });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);

  await run();
  await setImmediate();
  process.off("unhandledRejection", note);

  expect([sent.length, replay().sent, replay().state]).toEqual([
    500,
    500,
    "paused",
  ]);
  expect(unhandled).toEqual([]);
});

test.each([
  [1, 500],
  [120, 1_200],
  [10_000, 5_000],
])(
  "at %d a second a page has %d units at most: it is not read long before it is sent",
  async (ratePerSecond, most) => {
    const { run, state } = aRun({ ratePerSecond });

    await run();

    expect(state.limits).toEqual([most]);
  },
);

const refused = (): Promise<void> => Promise.reject(new Error("refused"));

test("that it has finished is told before it is stored, and again where it could not be told", async () => {
  const { run, state, expire, replay } = aRun();
  expire(3);
  state.whileTold = () => Promise.reject(new Error("Kafka is away"));

  await expect(run()).rejects.toThrow("Kafka is away");
  expect(replay().state).toBe("running");
  state.whileTold = async () => {};
  await run();

  expect(replay().state).toBe("done");
  expect(state.finished).toMatchObject([
    { state: "running", sent: 3 },
    { state: "running", sent: 3 },
  ]);
});

test("a replay that was cancelled at its end is not told as finished", async () => {
  const { run, state, expire, replay, put } = aRun();
  expire(1);
  state.beforeCheckpoint = () => put({ ...replay(), state: "cancelled" });

  await run();

  expect(state.finished).toEqual([]);
});
