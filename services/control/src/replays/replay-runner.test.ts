import { expect, test } from "@jest/globals";
import type { Replay } from "@postrider/core";
import { BUILT_AT, fakeClock, testEffects, waitFor } from "@postrider/testkit";
import { aReplay } from "../../fixtures/a-replay.ts";
import type { Tenure } from "../writer/ownership.ts";
import { createReplayRunner } from "./replay-runner.ts";

test("the owner tells how many replays run, how long one has got no further, and each round that failed; another replica tells of none", async () => {
  const clock = fakeClock(BUILT_AT);
  const effects = testEffects({ clock });
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: { send: async () => [], disconnect: async () => {} },
    fail: () => {},
  };
  let owned: Tenure | null = tenure;
  let begin = (_tenure: Tenure): void => {};
  let stored: Replay = aReplay();
  let isAway = true;
  const runner = createReplayRunner({
    ...effects,
    ownership: {
      tenure: () => owned,
      onTenure: (listener) => void (begin = listener),
    },
    store: {
      get: () => stored,
      all: () => [stored],
      note: async () => {},
      onChange: () => {},
    },
    run: async () => {
      if (isAway) throw new Error("ClickHouse is away");
      stored = { ...stored, state: "done" };
    },
    retryMs: 1,
  });
  const told = async () => {
    const page = await effects.meter.render();
    const of = (name: string): number =>
      Number(
        new RegExp(`^postrider_${name}\\{.*\\} (\\S+)$`, "m").exec(page)?.[1],
      );
    return [of("replays_running"), of("replay_standstill_seconds")];
  };

  await runner.start();
  expect(await told()).toEqual([1, 0]);
  clock.advance(90_000);
  expect(await told()).toEqual([1, 90]);
  owned = null;
  expect(await told()).toEqual([0, 0]);
  owned = tenure;
  begin(tenure);
  const failed = /postrider_replay_failed_rounds_total\{.*\} [1-9]/;
  await waitFor(async () => failed.test(await effects.meter.render()));
  isAway = false;
  await waitFor(() => stored.state === "done");
  expect(await told()).toEqual([0, 0]);
  await runner.stop(BUILT_AT);
});
