import { expect, test } from "@jest/globals";
import { CliError, EXIT } from "./cli-error.ts";
import type { Replay } from "./replay-lines.ts";
import { watchReplay } from "./replay-watch.ts";

const FIRST: Replay = {
  id: "rpl_1",
  state: "running",
  detail: null,
  selection: {},
  why: "",
  total: 10,
  done: 0,
  sent: 0,
  leftOut: {},
  secondsLeft: 5,
  createdAt: "2026-01-01T00:00:00.000Z",
};
const DONE: Replay = { ...FIRST, state: "done", done: 10, sent: 10 };

/** Watches, with these answers one after the other. */
async function watched(...answers: readonly (Replay | CliError)[]) {
  return await watchedEvery(1, ...answers);
}

/** The same. By the watcher's clock each answer takes so long. */
async function watchedEvery(
  everyMs: number,
  ...answers: readonly (Replay | CliError)[]
) {
  let at = 0;
  const shown: string[] = [];
  const done = await watchReplay(
    FIRST,
    async () => {
      const answer = answers[at++];
      if (answer === undefined) throw new Error("asked too often");
      if (answer instanceof CliError) throw answer;
      return answer;
    },
    {
      progress: (text, of) =>
        void shown.push(`${of?.done}/${of?.total}: ${text}`),
    },
    { pollEveryMs: 1, now: () => at * everyMs },
  );
  return { done, shown };
}

test("it shows how far the replay is and what it waits for, until it is done", async () => {
  const half = { ...FIRST, done: 5, sent: 4, leftOut: { delivered: 1 } };

  const { done, shown } = await watched(
    { ...FIRST, detail: "waits for replay rpl_0" },
    half,
    { ...half, state: "paused" },
    DONE,
  );

  expect(done).toBe(DONE);
  expect(shown).toEqual([
    "0/10: looked at 0 of 10, sent 0 deliveries; about 5 s",
    "0/10: looked at 0 of 10, sent 0 deliveries; waits for replay rpl_0",
    "5/10: looked at 5 of 10, sent 4 deliveries; about 5 s",
    "5/10: looked at 5 of 10, sent 4 deliveries; paused",
  ]);
});

test("the rate is the one at which it was seen to go, not the one that it may have; a pause is no slowness", async () => {
  const at = (done: number, fields: Partial<Replay> = {}): Replay => ({
    ...FIRST,
    total: 1_000,
    done,
    sent: done,
    secondsLeft: 2,
    ...fields,
  });

  const { shown } = await watchedEvery(
    1_500,
    at(30),
    at(60),
    at(60, { state: "paused", secondsLeft: null }),
    at(60),
    at(60),
    at(60),
    DONE,
  );

  expect(shown.map((line) => line.split("; ")[1])).toEqual([
    "about 5 s",
    "about 2 s",
    "20 a second, about 47 s",
    "paused",
    "about 2 s",
    "about 2 s",
    "0 a second",
  ]);
});

test("a replica that has not read the replay yet, and a control that is away, are asked again", async () => {
  const unknown = new CliError(EXIT.notFound, "There is no replay rpl_1.");
  const away = new CliError(EXIT.unreachable, "cannot be reached");

  expect((await watched(unknown, away, DONE)).done).toBe(DONE);
});

test("what its receiver has is not missing; what could not be sent is a failure that says how much", async () => {
  const fine = {
    ...DONE,
    sent: 6,
    leftOut: { delivered: 2, parked: 1, filtered: 1 },
  };
  const short = {
    ...DONE,
    sent: 8,
    leftOut: { delivered: 1, endpoint_deleted: 1 },
  };

  expect((await watched(fine)).done).toBe(fine);
  await expect(watched(short)).rejects.toMatchObject({
    exitCode: EXIT.failed,
    why: "It has sent 8 deliveries and left out 1 endpoint_deleted.",
  });
});

test("a replay that ends before it has looked at all that was selected is a failure that says how many were not sent", async () => {
  const ended = { ...DONE, done: 8, sent: 7, leftOut: { delivered: 1 } };

  await expect(watched(ended)).rejects.toMatchObject({
    exitCode: EXIT.failed,
    message: "Replay rpl_1 is done, but could not send everything.",
    why: expect.stringMatching(
      /^It has sent 7 deliveries\. 2 of those that were selected were not found when their turn came, and not sent: /,
    ),
    next: expect.stringContaining("npx postrider replay get rpl_1"),
  });
  await expect(
    watched({ ...ended, leftOut: { payload_gone: 1 } }),
  ).rejects.toMatchObject({
    why: expect.stringMatching(
      /^It has sent 7 deliveries and left out 1 payload_gone\. 2 of those/,
    ),
    next: expect.stringContaining("--action left_out"),
  });
});

test("a replay that is cancelled is a failure", async () => {
  const cancelled = { ...FIRST, state: "cancelled", done: 4, sent: 4 };

  await expect(watched(cancelled)).rejects.toMatchObject({
    exitCode: EXIT.failed,
    why: "It has sent 4 deliveries; 6 were not looked at.",
  });
});
