import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { untilRecorded, type WatchedTopic } from "./recorded.ts";

/** Topics with one partition of ten records each; `committed` is how far they were read. */
function someTopics() {
  const ends = { deliveries: 10, attempts: 10, "dead-letters": 10 };
  const committed: Record<WatchedTopic, number | null> = {
    deliveries: 10,
    attempts: 10,
    "dead-letters": 10,
  };
  const asked: WatchedTopic[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  const wait = () =>
    untilRecorded({
      offsets: {
        async ranges(topic) {
          asked.push(topic);
          return [{ topic, partition: 0, start: 4, end: ends[topic] }];
        },
        committed: async (topic) => [
          { topic, partition: 0, offset: committed[topic], metadata: "" },
        ],
      },
      waits: async (what) => void told.push(what),
      signal: stop.signal,
      lookEveryMs: 1,
    });
  return { wait, ends, committed, asked, told, stop };
}

test("what the dispatchers pass is looked for only then in what the recorder has to record", async () => {
  const { wait, committed, ends, asked, told } = someTopics();
  committed.deliveries = 7;
  committed.attempts = 10;

  const waiting = wait();
  await waitFor(() => told.length > 0);
  expect(asked).toEqual(["deliveries"]);
  ends.attempts = 13;
  committed.deliveries = 10;
  await waitFor(() => told.at(-1)?.includes("recorder"));
  committed.attempts = 13;
  await waiting;

  expect(new Set(told)).toEqual(
    new Set([
      "the dispatchers are 3 records of deliveries behind",
      "the recorder is 3 records of attempts behind",
    ]),
  );
});

test("a group that has committed nothing has everything from the log's start before it", async () => {
  const { wait, committed, told, stop } = someTopics();
  committed["dead-letters"] = null;

  const waiting = wait();
  await waitFor(() => told.length > 0);
  stop.abort(new Error("the tenure is over"));

  await expect(waiting).rejects.toThrow("the tenure is over");
  expect(told[0]).toBe("the recorder is 6 records of dead-letters behind");
});

test("what comes meanwhile is not waited for", async () => {
  const { wait, ends, told } = someTopics();

  const waiting = wait();
  ends.deliveries = 99;
  await waiting;

  expect(told).toEqual([]);
});
