import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { registerStoppedRunner } from "./stopped-runner.ts";

interface Runner {
  start(): Promise<void>;
  stop(): Promise<void>;
}
// kafkajs is CommonJS: the same class that the patch changes.
const RunnerClass = createRequire(import.meta.url)(
  "kafkajs/src/consumer/runner",
) as { new (options: object): Runner } & Parameters<
  typeof registerStoppedRunner
>[0];

registerStoppedRunner(RunnerClass);

/** A runner whose fetches last until `answer`, and the brokers it reads from. */
function aRunner() {
  const nodes = ["1", "2"];
  const answers: (() => void)[] = [];
  let emptyFetches = 0;
  let hasLeft = false;
  const logger = {
    namespace: () => logger,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    debug: (text: string) => {
      // Such loops never give way to the test, so it must end them.
      if (text.startsWith("consumer not running") && ++emptyFetches > 1000)
        throw new Error("the loops of a stopped runner do not end");
    },
  };
  const runner = new RunnerClass({
    logger,
    instrumentationEmitter: new EventEmitter(),
    eachBatch: () => undefined,
    concurrency: 1,
    retry: { initialRetryTime: 1, retries: 5 },
    onCrash: () => undefined,
    consumerGroup: {
      connect: () => Promise.resolve(),
      joinAndSync: () => Promise.resolve(),
      heartbeat: () => Promise.resolve(),
      getNodeIds: () => [...nodes],
      fetch: () => new Promise((resolve) => answers.push(() => resolve([]))),
      leave: () => {
        hasLeft = true;
        return Promise.resolve();
      },
    },
  });
  return {
    runner,
    nodes,
    answers,
    hasLeft: () => hasLeft,
    emptyFetches: () => emptyFetches,
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a stop ends that comes while the loops of a changed list of brokers are waited for", async () => {
  const { runner, nodes, answers, hasLeft, emptyFetches } = aRunner();
  await runner.start();
  await waitFor(() => answers.length === 2);
  nodes.pop();
  answers[1]!(); // the second broker's loop sees the new list, and the first one's fetch is waited for
  await turn();

  const stopped = runner.stop();
  answers[0]!();
  await stopped;

  expect(hasLeft()).toBe(true);
  expect(emptyFetches()).toBe(0);
});

test("a stop waits for the fetches under way, and leaves the group", async () => {
  const { runner, answers, hasLeft } = aRunner();
  await runner.start();
  await waitFor(() => answers.length === 2);

  const stopped = runner.stop();
  await turn();
  expect(hasLeft()).toBe(false);
  for (const answer of answers) answer();
  await stopped;

  expect(hasLeft()).toBe(true);
  expect(answers).toHaveLength(2);
});
