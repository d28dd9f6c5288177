import { expect, test } from "@jest/globals";
import type { Endpoint, Resume } from "@postrider/core";
import { anEndpoint, BUILT_AT } from "@postrider/testkit";
import {
  advanced,
  finished,
  reachingTo,
  resumeAfter,
  started,
  type DeadLetterLog,
} from "./resume.ts";

const NOW = BUILT_AT + 1_000;
const ID = anEndpoint().id;

/** Dead letters whose partitions end at these offsets. The endpoint's are in the partition before the last one. */
function aLog(...ends: readonly number[]): DeadLetterLog {
  return {
    ranges: ends.map((end, partition) => ({
      topic: "dead-letters",
      partition,
      start: 0,
      end,
    })),
    partitionOf: (_id, partitions) => Math.max(0, partitions - 2),
    isCountKnown: true,
  };
}

const inState = (state: string, version = 2): Endpoint =>
  anEndpoint({ state, version });

/** What a change from one state to another makes of a stored resume. */
async function after(
  from: string,
  to: string | null,
  stored: Resume | undefined,
  log = aLog(70, 90),
) {
  return await resumeAfter({
    before: inState(from, 1),
    after: to === null ? null : inState(to, 2),
    stored,
    log: async () => log,
    newId: () => "rsm_new",
    now: NOW,
  });
}

async function aParked(log = aLog(70, 90)): Promise<Resume> {
  const resume = await after("enabled", "paused", undefined, log);
  if (!resume) throw new Error("a pause makes a resume");
  return resume;
}

async function aRunning(): Promise<Resume> {
  const resume = await after("paused", "enabled", await aParked());
  if (!resume) throw new Error("enabling starts it");
  return resume;
}

const positionsOf = (resume: Resume | null | undefined) =>
  resume?.places.map(({ partition, position }) => [partition, position]);

test("a pause notes where its dead letters can begin: at the log's end before the pause was written", async () => {
  const resume = await aParked(aLog(70, 90));

  expect(resume).toMatchObject({ state: "parked", endpointId: ID, id: "" });
  expect(positionsOf(resume)).toEqual([[0, 70]]);
});

test("a pause soon after dead-letters got partitions notes them all: a dispatcher may still park by an earlier count", async () => {
  const log = { ...aLog(70, 90, 0, 0), isCountKnown: false };

  const resume = await aParked(log);

  expect(resume).toMatchObject({ partitions: 4 });
  expect(positionsOf(resume)).toEqual([
    [0, 70],
    [1, 90],
    [2, 0],
    [3, 0],
  ]);
});

test("enabling a paused endpoint starts its resume at that place, with the version that enabled it", async () => {
  const resume = await after("paused", "enabled", await aParked());

  expect(resume).toMatchObject({
    state: "running",
    id: "rsm_new",
    endpointVersion: 2,
    startedAt: NOW,
    places: [{ from: 70, position: 70 }],
  });
});

test("an endpoint that was never paused has no resume, whatever changes", async () => {
  expect(await after("disabled", "enabled", undefined)).toBeUndefined();
  expect(await after("enabled", "disabled", undefined)).toBeUndefined();
});

test.each([
  ["paused", "the endpoint was paused again"],
  ["disabled", "the endpoint was disabled: by hand"],
])(
  "a resume ends, with its reason, when the endpoint is %s; its position stays",
  async (state, detail) => {
    const running = advanced(await aRunning(), aProgress({ position: 75 }));

    const ended = await after("enabled", state, running);

    expect(ended).toMatchObject({ state: "ended", detail, finishedAt: NOW });
    expect(positionsOf(ended)).toEqual([[0, 75]]);
  },
);

test("a resume goes with its deleted endpoint", async () => {
  expect(await after("enabled", null, await aRunning())).toBeNull();
});

test.each(["cancelled", "ended"] as const)(
  "the next resume begins where one that was %s stopped",
  async (state) => {
    const stopped = finished(
      advanced(await aRunning(), aProgress({ position: 75, sent: 3 })),
      state,
      "",
      NOW,
    );

    const paused = await after("enabled", "paused", stopped, aLog(500, 500));
    const next = await after("paused", "enabled", paused ?? undefined);

    expect(next).toMatchObject({ state: "running", sent: 0, skipped: 0 });
    expect(next?.places).toMatchObject([{ from: 75, position: 75 }]);
  },
);

test("after a resume that is done, the next pause begins at the log's end of its own time", async () => {
  const done = finished(await aRunning(), "done", "", NOW);

  const next = await after("enabled", "paused", done, aLog(500, 500));

  expect(next).toMatchObject({ state: "parked" });
  expect(positionsOf(next)).toEqual([[0, 500]]);
});

test("what is parked for an endpoint that was disabled since is sent when it is enabled", async () => {
  const disabled = await after("paused", "disabled", await aParked());
  expect(disabled).toMatchObject({ state: "parked" });

  const enabled = await after("disabled", "enabled", disabled ?? undefined);

  expect(enabled).toMatchObject({ state: "running" });
});

test("a resume that is running or done is left alone when its endpoint changes in another way", async () => {
  const running = await aRunning();

  expect(await after("enabled", "enabled", running)).toBe(running);
});

test("partitions that dead-letters got meanwhile are read from their start", async () => {
  const running = reachingTo(await aRunning(), aLog(80, 90, 15, 20));

  expect(running.partitions).toBe(4);
  expect(
    running.places.map(({ partition, position, end }) => [
      partition,
      position,
      end,
    ]),
  ).toEqual([
    [0, 70, 80],
    [1, 0, 90],
    [2, 0, 15],
  ]);
});

function aProgress(fields: Partial<Parameters<typeof advanced>[1]> = {}) {
  return {
    id: "rsm_new",
    partition: 0,
    position: 70,
    end: 90,
    sent: 0,
    skipped: 0,
    unreadable: 0,
    ...fields,
  };
}

test("a checkpoint never takes a position back", async () => {
  const far = advanced(await aRunning(), aProgress({ position: 80, sent: 5 }));

  const late = advanced(far, aProgress({ position: 75, sent: 1 }));

  expect(positionsOf(late)).toEqual([[0, 80]]);
  expect(late.sent).toBe(6);
});

test("what a run has sent is kept for the next resume, also where it is stored after that one has begun, and counts for its own only", async () => {
  const next = started(finished(await aRunning(), "cancelled", "", NOW), {
    id: "rsm_next",
    endpointVersion: 3,
    now: NOW,
  });

  const stored = advanced(next, aProgress({ position: 75, sent: 5 }));

  expect(stored).toMatchObject({ id: "rsm_next", sent: 0 });
  expect(positionsOf(stored)).toEqual([[0, 75]]);
});
