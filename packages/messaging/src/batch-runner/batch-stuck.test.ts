import { expect, test } from "@jest/globals";
import { soon } from "@postrider/testkit";
import { BatchAssignment } from "./batch-assignment.ts";
import type { AssignmentHost } from "./partition-host.ts";
import type { FetchedBatch } from "../ports.ts";

interface State {
  now: number;
  judged?: number;
}

/** Partition 0 waits for a schema; a record of another one lingers. `perCall`: how far the clock moves with each reading of it, ms. */
function begin(state: State, { lingerMs = 10_000, perCall = 0 } = {}) {
  const host: AssignmentHost<string> = {
    table: "t",
    topic: "t",
    limits: {
      maxRecords: 10,
      maxBytes: 1e6,
      lingerMs,
      queueBytes: 1e6,
      schemaPollMs: 1_000,
    },
    mayShare: true,
    judge: () => {
      state.judged = (state.judged ?? 0) + 1;
      return { entries: [], waitsFor: "s1" };
    },
    now: () => 1,
    monotonic: () => (state.now += perCall),
    random: () => 0,
    isLeaseValid: () => true,
    fetchCommitted: async () => ({ offset: 0, metadata: "" }),
    fetchLogRange: async (source) => ({ ...source, start: 0, end: 1 }),
    fetchOnce: async () => null,
    commit: async () => undefined,
    insert: async () => ({ kind: "inserted" }),
    mend: async () => ({ kind: "mended", rows: 0 }),
    refuse: async () => undefined,
    reducedRowOf: undefined,
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
    report: () => undefined,
  };
  const partitions = [0, 1].map((partition) => ({ topic: "t", partition }));
  return new BatchAssignment(partitions, host);
}

function batchOf(partition: number): FetchedBatch {
  const place = { topic: "t", partition };
  const record = {
    ...place,
    offset: 0,
    timestamp: 1,
    key: null,
    value: null,
    headers: {},
  };
  return {
    ...place,
    fetchOffset: 0,
    records: [record],
    lastOffset: 0,
    highWatermark: 1,
  };
}

test("a record that came just now is not stuck, however long another partition has waited for a schema", async () => {
  const state: State = { now: 1_000 };
  const assignment = begin(state);
  await soon(() => assignment.baseOf(0) !== null);
  assignment.push(batchOf(0));
  state.now += 10_000; // the batch leaves
  assignment.restart(9); // a partition that it does not have: only a notice
  await soon(() => assignment.problem?.includes("s1") === true);

  state.now += 120_000;
  const judged = state.judged ?? 0;
  assignment.push(batchOf(1));
  await soon(() => state.judged! > judged); // partition 0 is looked at again, in vain

  expect(assignment.stuckMs()).toBe(0);
  assignment.end();
  await assignment.done;
});

test("a record whose wait for a schema is over, and that is not looked at again, is stuck", async () => {
  const state: State = { now: 1_000 };
  const assignment = begin(state, { lingerMs: 0 });
  await soon(() => assignment.baseOf(0) !== null);
  assignment.push(batchOf(0));
  await soon(() => assignment.problem?.includes("s1") === true);
  expect(assignment.stuckMs()).toBe(0);

  state.now += 1_000 + 90_000; // the time passes, and the loop does not wake

  expect(assignment.stuckMs()).toBe(90_000);
  assignment.end();
  await assignment.done;
});

test("a wait that ends between the look at the queues and the sleep is looked at again", async () => {
  const state = { now: 1_000, judged: 0 };
  // Blocked for 1,000 ms when the loop looks at it, and no longer when it goes to sleep.
  const assignment = begin(state, { lingerMs: 0, perCall: 600 });
  await soon(() => assignment.baseOf(0) !== null);

  assignment.push(batchOf(0));

  await soon(() => state.judged >= 3);
  assignment.end();
  await assignment.done;
});
