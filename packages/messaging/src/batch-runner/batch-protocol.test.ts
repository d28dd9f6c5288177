import { expect, test } from "@jest/globals";
import type { BatchEntry } from "./batch-entry.ts";
import { BatchProtocol } from "./batch-protocol.ts";
import type { IntentCommit } from "./batch-protocol.ts";

/** A protocol over partitions that begin at offset 0, and what it did. The table refuses the rows of `bad`. */
function protocolOf(partitions: readonly number[], bad: readonly string[]) {
  const commits: string[][] = [];
  const announced = new Set<number>();
  const inserts: (readonly string[])[] = [];
  const protocol = new BatchProtocol<string>({
    table: "t",
    topic: "t",
    effects: {
      commit: async (request) => {
        commits.push(request.map(told));
        for (const { intent } of request)
          if (intent !== null) announced.add(intent.intendedAt);
      },
      insert: async (rows) => {
        inserts.push(rows);
        return rows.some((row) => bad.includes(row))
          ? { kind: "refused", detail: "bad" }
          : { kind: "inserted" };
      },
      refuse: async () => undefined,
      waitForTable: () => Promise.reject(new Error("never in these tests")),
    },
  });
  for (const partition of partitions) protocol.add(partition, 0);
  return { protocol, commits, inserts, announced };
}

/** `partition@offset`, and the partitions that its intent names. */
function told({ partition, offset, intent }: IntentCommit): string {
  const named = intent?.ranges.map((range) => range.partition) ?? [];
  return `${partition}@${offset} [${named.join()}]`;
}

function rows(partition: number, ...offsets: number[]): BatchEntry<string>[] {
  return offsets.map((offset) => ({
    kind: "row",
    row: `${partition}/${offset}`,
    raw: {
      topic: "t",
      partition,
      offset,
      timestamp: 1,
      key: null,
      value: null,
      headers: {},
    },
  }));
}

test("one request announces a batch in each of its partitions, and one insert has all its rows", async () => {
  const { protocol, commits, inserts } = protocolOf([0, 1, 2], []);

  await protocol.record([...rows(0, 0, 1), ...rows(2, 0)], 1);
  await protocol.settle();

  expect(commits).toEqual([
    ["0@0 []", "1@0 []", "2@0 []"], // each partition is proven before it takes part in an intent
    ["0@0 [0,2]", "2@0 [0,2]"],
    ["0@2 []", "2@1 []"],
  ]);
  expect(inserts).toEqual([["0/0", "0/1", "2/0"]]);
});

test("the next announcement carries the progress of partitions that it does not name", async () => {
  const { protocol, commits } = protocolOf([0, 1], []);
  await protocol.record([...rows(0, 0), ...rows(1, 0)], 1);
  commits.length = 0;

  await protocol.record(rows(1, 1), 1);

  expect(commits).toEqual([["0@1 []", "1@1 [1]"]]);
});

test("the announcement of one half of a refused batch frees the partitions of the other", async () => {
  const { protocol, commits, inserts } = protocolOf([0, 1, 2], ["2/1"]);

  await protocol.record([...rows(0, 0), ...rows(1, 0), ...rows(2, 0, 1)], 1);

  expect(commits.slice(1)).toEqual([
    ["0@0 [0,1,2]", "1@0 [0,1,2]", "2@0 [0,1,2]"],
    ["0@0 [0,1]", "1@0 [0,1]", "2@0 []"],
    ["0@1 []", "1@1 []", "2@0 [2]"],
    ["2@0 [2]"],
    ["2@1 [2]"],
    ["2@1 [2]"], // the row alone, and then without the row
  ]);
  expect(inserts.at(-2)).toEqual(["2/0"]);
});

test("the halves of a refused batch are announced with its time, so that none needs more characters than it", async () => {
  const { protocol, announced } = protocolOf([0, 1], ["1/1"]);

  await protocol.record([...rows(0, 0), ...rows(1, 0, 1)], 77);

  expect([...announced]).toEqual([77]);
});

test("one bad row among 4,096 is found in 25 inserts", async () => {
  const { protocol, inserts } = protocolOf([0], ["0/2345"]);

  await protocol.record(
    rows(0, ...Array.from({ length: 4_096 }, (_, n) => n)),
    1,
  );

  expect(inserts).toHaveLength(25); // 1 + 2 for each of 12 levels; the bad row alone is not sent again
});
