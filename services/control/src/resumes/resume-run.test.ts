import { expect, test } from "@jest/globals";
import type { DeadLetter, Delivery, Resume } from "@postrider/core";
import type { FetchedBatch, OutRecord, RawRecord } from "@postrider/messaging";
import {
  aDeadLetter,
  aDelivery,
  anEndpoint,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import { advanced, finished, reachingTo, started, unsentOf } from "./resume.ts";
import { runResume, type RunMemory } from "./resume-run.ts";

const ID = anEndpoint().id;

/** A log of dead letters, one a record, and a resume of its endpoint that begins at its start. */
function aRun() {
  const letters: DeadLetter[] = [];
  const sent: Delivery[] = [];
  const reads: (readonly [from: number, to: number])[] = [];
  const clock = { offsetMs: 0 };
  const effects = testEffects({
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now() + clock.offsetMs,
    },
  });
  const seen = {
    /** Whether the dispatchers' group has passed the end of `deliveries`. */
    hasPassed: true,
    heartbeatAgeMs: 0,
    version: 3,
    beforeCheckpoint: (): void => {},
    beforeRead: (): void => {},
    endsAskedFor: 0,
    looks: 0,
    /** Whether others wait for the run's slot. */
    isWaitedFor: false,
    /** The size of each dead letter. */
    bytes: 0,
    /** The offset of a dead letter that cannot be decoded. */
    unreadableAt: -1,
    /** Where the log begins. */
    start: 0,
    perSecond: 10_000,
    afterSend: (): void => {},
  };
  const empty: Resume = {
    endpointId: ID,
    tenantId: "acme",
    id: "",
    state: "parked",
    detail: "",
    endpointVersion: 0,
    partitions: 1,
    places: [{ partition: 0, from: 0, position: 0, end: 0 }],
    sent: 0,
    skipped: 0,
    unreadable: 0,
    lost: 0,
    pausedAt: 0,
    startedAt: null,
    finishedAt: null,
  };
  let stored = started(empty, { id: "rsm_1", endpointVersion: 3, now: 0 });
  const stop = new AbortController();
  const memory: RunMemory = { shownAt: null, deliveriesEnd: null };
  const store = {
    get: () => stored,
    checkpoint: async (
      _id: string,
      progress: Parameters<typeof advanced>[1],
    ) => {
      seen.beforeCheckpoint();
      return (stored = advanced(stored, progress));
    },
    reach: async (_id: string, log: Parameters<typeof reachingTo>[1]) =>
      (stored = reachingTo(stored, log)),
    done: async (_id: string, id: string) => {
      if (stored.id === id && stored.state === "running")
        stored = finished(stored, "done", unsentOf(stored), 0);
    },
  };
  const run = () =>
    runResume(
      {
        ...effects,
        store,
        endpoints: { get: () => anEndpoint({ version: seen.version }) },
        deadLetterLog: async () => {
          seen.looks += 1;
          const end = letters.length;
          return {
            ranges: [{ topic: "d", partition: 0, start: seen.start, end }],
            partitionOf: () => 0,
            isCountKnown: true,
          };
        },
        dispatchers: {
          endFor: async () => ({
            partition: 0,
            start: 0,
            end: (seen.endsAskedFor += 1),
          }),
          havePassed: async () => seen.hasPassed,
        },
        async *read(partition, { from, to }) {
          reads.push([from, to]);
          seen.beforeRead();
          const records = letters.slice(from, to).map((_, n): RawRecord => ({
            topic: "d",
            partition,
            offset: from + n,
            timestamp: 0,
            key: null,
            value: Buffer.alloc(seen.bytes),
            headers: {},
          }));
          yield {
            topic: "d",
            partition,
            fetchOffset: from,
            records,
            lastOffset: to - 1,
            highWatermark: to,
          } satisfies FetchedBatch;
        },
        decode: ({ offset }) =>
          offset === seen.unreadableAt
            ? { kind: "unreadable", reason: "invalid", detail: "broken" }
            : { kind: "decoded", value: letters[offset]! },
        send: async ({ value }: OutRecord) => {
          sent.push(value as Delivery); // a resume sends deliveries only
          seen.afterSend();
        },
        heartbeatAgeMs: () => seen.heartbeatAgeMs,
        sessionTimeoutMs: 1_000,
        perSecond: seen.perSecond,
        unknownSchemaWaitMs: 0,
        lookEveryMs: 1,
      },
      { endpointId: ID, id: "rsm_1" },
      {
        signal: stop.signal,
        memory,
        inSlot: (work) => work(() => seen.isWaitedFor),
      },
    );
  return {
    run,
    seen,
    sent,
    reads,
    stop,
    park: (count: number, endpointId = ID) => {
      for (let n = 0; n < count; n++)
        letters.push(
          aDeadLetter({
            reason: "paused",
            delivery: aDelivery({
              deliveryId: `dlv_${letters.length}`,
              endpointId,
            }),
          }),
        );
    },
    /** As if this much time had passed since the run began. */
    pass: (ms: number) => (clock.offsetMs += ms),
    resume: () => stored,
    change: (next: Resume) => (stored = next),
  };
}

const idsOf = (sent: readonly Delivery[]) =>
  sent.map(({ deliveryId }) => deliveryId);

test("a resume sends what is parked for its endpoint, in order, and passes over the rest", async () => {
  const { run, park, sent, seen, pass, resume } = aRun();
  park(2);
  park(1, "ep_other");
  park(1);

  const running = run();
  await waitFor(() => sent.length === 3);
  pass(6_000);
  await running;

  expect(idsOf(sent)).toEqual(["dlv_0", "dlv_1", "dlv_3"]);
  expect(resume()).toMatchObject({ state: "done", sent: 3, skipped: 1 });
  expect(resume().places).toMatchObject([{ position: 4, end: 4 }]);
  expect(seen.endsAskedFor).toBe(1);
});

test("it is not done before the dispatchers have passed what deliveries held once parking was over; what they park until then is sent", async () => {
  const { run, park, sent, seen, pass, resume } = aRun();
  seen.hasPassed = false;
  const running = run();
  pass(6_000);
  await waitFor(() => seen.endsAskedFor === 1);
  expect(resume().state).toBe("running");

  park(1);
  seen.hasPassed = true;
  await running;

  expect(idsOf(sent)).toEqual(["dlv_0"]);
  expect(resume().state).toBe("done");
});

test("parking is not over before the endpoint itself is seen as the resume has made it", async () => {
  const { run, seen, pass, resume, stop } = aRun();
  seen.version = 2;

  const running = run();
  pass(6_000);
  await waitFor(() => seen.looks >= 2);
  stop.abort(new Error("enough"));

  await expect(running).rejects.toThrow("enough");
  expect(seen.endsAskedFor).toBe(0);
  expect(resume().state).toBe("running");
});

test("a resume that was cancelled before its turn to read came sends nothing", async () => {
  const { run, park, sent, seen, resume, change } = aRun();
  park(1);
  seen.beforeRead = () =>
    void change(finished(resume(), "cancelled", "by hand", 1));

  await run();

  expect(sent).toEqual([]);
  expect(resume().places).toMatchObject([{ position: 0 }]);
});

test("a run that is cut off after a chunk was sent is repeated from its last checkpoint", async () => {
  const { run, park, sent, seen, reads, pass } = aRun();
  park(600);
  let checkpoints = 0;
  seen.beforeCheckpoint = () => {
    if ((checkpoints += 1) === 2) throw new Error("fenced");
  };

  await expect(run()).rejects.toThrow("fenced");
  expect(sent).toHaveLength(500);
  pass(6_000);
  const again = run();
  await waitFor(() => new Set(idsOf(sent)).size === 600);
  pass(6_000);
  await again;

  expect(reads.slice(0, 2)).toEqual([
    [0, 600],
    [250, 600],
  ]);
  expect(sent).toHaveLength(850);
});

test("a run stops at the chunk after its resume was cancelled, and keeps the state", async () => {
  const { run, park, sent, seen, resume, change } = aRun();
  park(600);
  seen.beforeCheckpoint = () =>
    void change(finished(resume(), "cancelled", "by hand", 1));

  await run();

  expect(sent).toHaveLength(250);
  expect(resume()).toMatchObject({ state: "cancelled", sent: 250 });
  expect(resume().places).toMatchObject([{ position: 250 }]);
});

test("nothing is sent while the group's coordinator is silent: another replica may be the owner", async () => {
  const { run, park, sent, seen, stop } = aRun();
  park(1);
  seen.heartbeatAgeMs = 900;

  const running = run();
  stop.abort(new Error("the tenure is over"));

  await expect(running).rejects.toThrow("the tenure is over");
  expect(sent).toEqual([]);
});

test("a chunk is bounded by its bytes, too", async () => {
  const { run, park, sent, seen } = aRun();
  park(12);
  seen.bytes = 1_048_576;
  seen.beforeCheckpoint = () => {
    throw new Error("one chunk is enough");
  };

  await expect(run()).rejects.toThrow("one chunk is enough");

  expect(sent).toHaveLength(4);
});

test("a chunk is handed over bit by bit; a stop between two ends it, and what was handed over is stored", async () => {
  const { run, park, sent, seen, stop, resume } = aRun();
  park(3, "ep_other");
  park(125);
  park(2, "ep_other");
  park(125);
  seen.perSecond = 500;
  seen.afterSend = () => stop.abort(new Error("stopped"));

  await expect(run()).rejects.toThrow("stopped");

  expect(sent.length).toBeLessThan(125);
  expect(resume()).toMatchObject({
    sent: sent.length,
    skipped: 3,
    places: [{ position: 3 + sent.length }],
  });
});

test("nothing more of a chunk is handed over once the tenure is over, and nothing can be stored", async () => {
  const { run, park, sent, seen, stop, resume } = aRun();
  park(250);
  seen.perSecond = 500;
  seen.afterSend = () => stop.abort(new Error("the tenure is over"));
  seen.beforeCheckpoint = () => {
    throw new Error("not the owner");
  };

  await expect(run()).rejects.toThrow("not the owner");

  expect(sent.length).toBeLessThan(250);
  expect(resume().sent).toBe(0);
});

test("what cannot be read, and what the log has lost, is counted and said: it was not sent", async () => {
  const { run, park, seen, sent, pass, resume } = aRun();
  park(4);
  seen.start = 1;
  seen.unreadableAt = 2;

  const running = run();
  await waitFor(() => sent.length === 2);
  pass(6_000);
  await running;

  expect(idsOf(sent)).toEqual(["dlv_1", "dlv_3"]);
  expect(resume()).toMatchObject({
    state: "done",
    sent: 2,
    skipped: 0,
    unreadable: 1,
    lost: 1,
  });
  expect(resume().detail).toContain("1 offset of");
  expect(resume().detail).toContain("1 dead letter could not be read");
});

test("a run that has read for a while gives its slot to one that waits, and goes on later where it stopped", async () => {
  const { run, park, sent, seen, reads, pass } = aRun();
  park(600);
  seen.isWaitedFor = true;
  seen.beforeCheckpoint = () => void pass(10_000);

  await run();

  expect(sent).toHaveLength(600);
  expect(reads).toEqual([
    [0, 600],
    [250, 600],
    [500, 600],
  ]);
});

test("a run that is tried again knows how long its resume is shown, and what the dispatchers must pass", async () => {
  const { run, seen, pass, resume, park } = aRun();
  seen.hasPassed = false;
  const first = run();
  pass(6_000);
  await waitFor(() => seen.endsAskedFor === 1);
  seen.beforeRead = () => {
    throw new Error("the broker is away");
  };
  park(1);
  await expect(first).rejects.toThrow("the broker is away");

  seen.beforeRead = () => {};
  seen.hasPassed = true;
  await run();

  expect(seen.endsAskedFor).toBe(1);
  expect(resume().state).toBe("done");
});
