import { expect, test } from "@jest/globals";
import type { Resume } from "@postrider/core";
import { BUILT_AT, fakeClock, testEffects, waitFor } from "@postrider/testkit";
import type { Tenure } from "../writer/ownership.ts";
import { createResumeRunner } from "./resume-runner.ts";

const RUNNING: Resume = {
  endpointId: "ep_1",
  tenantId: "acme",
  id: "rsm_1",
  state: "running",
  detail: "",
  endpointVersion: 2,
  partitions: 1,
  places: [],
  sent: 0,
  skipped: 0,
  unreadable: 0,
  lost: 0,
  pausedAt: BUILT_AT - 60_000,
  startedAt: BUILT_AT - 30_000,
  finishedAt: null,
};

test("a round that fails is counted and tried again with what was learned; the oldest running resume has an age", async () => {
  const effects = testEffects({ clock: fakeClock(BUILT_AT) });
  const { signal } = new AbortController();
  const tenure: Tenure = {
    ended: signal,
    producer: { send: async () => [], disconnect: async () => {} },
    fail: () => {},
  };
  let stored = RUNNING;
  let begin = (_tenure: Tenure): void => {};
  const memories: unknown[] = [];
  const runner = createResumeRunner({
    ...effects,
    ownership: {
      tenure: () => tenure,
      onTenure: (listener) => void (begin = listener),
    },
    store: {
      get: () => stored,
      running: () => (stored.state === "running" ? [stored] : []),
      onChange: () => {},
    },
    run: async (_of, { memory }) => {
      memories.push(memory);
      if (memories.length < 3) throw new Error("the broker is away");
      stored = { ...stored, state: "done" };
    },
    retryMs: 1,
  });

  await runner.start();
  const text = await effects.meter.render();
  begin(tenure);
  await waitFor(() => stored.state === "done");
  await runner.stop(BUILT_AT);

  expect(text).toMatch(/postrider_resumes_running\{.*\} 1\n/);
  expect(text).toMatch(/postrider_resume_oldest_seconds\{.*\} 30\n/);
  expect(await effects.meter.render()).toMatch(
    /postrider_resume_failed_rounds_total\{.*\} 2\n/,
  );
  expect(new Set(memories).size).toBe(1);
});
