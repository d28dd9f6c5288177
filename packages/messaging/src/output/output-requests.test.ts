import { afterEach, expect, test } from "@jest/globals";
import { fakeClock, testEffects, waitFor } from "@postrider/testkit";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord } from "../record.ts";
import { createOutput, type ObservedOutput } from "./output.ts";

const outputs: ObservedOutput[] = [];
afterEach(async () => {
  for (const output of outputs.splice(0)) await output.stop(Infinity);
});

/** An output whose time moves only with `clock`, and the values of each request that it made. */
async function started(options: { records?: number; lingerMs?: number } = {}) {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const requests: string[][] = [];
  const output = createOutput({
    kafka: {
      createProducer: () =>
        Promise.resolve({
          sendBatch: (records) => {
            requests.push(records.map(({ value }) => String(value)));
            return Promise.resolve();
          },
          warm: () => Promise.resolve(),
          disconnect: () => Promise.resolve(),
        }),
      admin: () => ({
        connect: () => Promise.resolve(),
        disconnect: () => Promise.resolve(),
        partitionCounts: (topics) =>
          Promise.resolve(new Map(topics.map((topic) => [topic, 1]))),
      }),
    },
    prefix: "t.",
    encode: ({ value }) => value as Buffer,
    deadLetterOf: createDeadLetterOf({ stage: "deliver", clock }),
    limits: { records: options.records ?? 500 },
    lingerMs: (topic) => (topic === "attempts" ? options.lingerMs : undefined),
    ...effects,
  });
  outputs.push(output);
  await output.start();
  const send = (topic: OutRecord["topic"], value: string): void =>
    output.sendThen(
      [{ topic, key: null, value: Buffer.from(value) }],
      undefined,
      () => undefined,
    );
  const count = async (wanted: number): Promise<void> => {
    await waitFor(() => requests.length >= wanted, { everyMs: 1 });
    // A request too many would have been made by now.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(requests.length).toBe(wanted);
  };
  return { clock, requests, send, count };
}

const FEW = ["b", "c", "d"];
const ENOUGH = ["b", "c", "d", "e", "f", "g", "h", "i"];

test("after a pause a record goes at once, with those of the same moment", async () => {
  const { requests, send, count } = await started();
  send("deliveries", "a");
  await Promise.resolve();
  send("deliveries", "b");

  await count(1);

  expect(requests).toEqual([["a", "b"]]);
});

test("while more come, records wait until 16 ms after the last request", async () => {
  const { clock, requests, send, count } = await started();
  send("deliveries", "a");
  await count(1);
  for (const value of FEW) {
    clock.advance(4);
    send("deliveries", value);
  }

  clock.advance(3);
  await count(1);
  clock.advance(1);
  await count(2);

  expect(requests).toEqual([["a"], FEW]);
});

test("fewer records than the last request took wait for more, though none comes for 5 ms", async () => {
  const { clock, requests, send, count } = await started();
  for (const value of FEW) send("deliveries", value);
  await count(1);
  clock.advance(1);
  send("deliveries", "a");

  clock.advance(14);
  await count(1);
  clock.advance(1);
  await count(2);

  expect(requests).toEqual([FEW, ["a"]]);
});

test("when enough have come, those that came before do not wait any longer either", async () => {
  const { clock, requests, send, count } = await started();
  send("deliveries", "a");
  await count(1);
  clock.advance(5);
  for (const value of ENOUGH.slice(1)) send("deliveries", value);
  clock.advance(4);
  await count(1);

  send("deliveries", "last");
  await count(2);

  expect(requests).toEqual([["a"], [...ENOUGH.slice(1), "last"]]);
});

test("a whole batch does not wait", async () => {
  const { requests, send, count } = await started({ records: 2 });
  send("deliveries", "a");
  await count(1);

  send("deliveries", "b");
  send("deliveries", "c");
  await count(2);

  expect(requests).toEqual([["a"], ["b", "c"]]);
});

test("a record that nobody waits for lingers from its own time, and goes with any that goes sooner", async () => {
  const { clock, requests, send, count } = await started({ lingerMs: 40 });
  send("attempts", "a");
  clock.advance(39);
  await count(0);
  send("attempts", "b");
  clock.advance(1);
  await count(1);

  for (const value of ENOUGH) send("attempts", value);
  clock.advance(16);
  await count(1);
  send("deliveries", "d");
  await count(2);

  expect(requests).toEqual([
    ["a", "b"],
    [...ENOUGH, "d"],
  ]);
});
