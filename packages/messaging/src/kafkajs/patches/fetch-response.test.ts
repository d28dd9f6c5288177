import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import { rawBatch, rawRecords } from "@postrider/testkit";
import { memoryFor } from "./answer-memory.ts";
import { fetchedOf, registerFetchDecoder } from "./fetch-response.ts";

const load = createRequire(import.meta.url);

interface Response {
  decode(bytes: Buffer): Promise<unknown>;
}
interface Answer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly unknown[];
    }[];
  }[];
}

const versions = [4, 5, 6, 7, 8, 9, 10, 11];
const originals = new Map(
  versions.map((version) => [
    version,
    load(
      `kafkajs/src/protocol/requests/fetch/v${version}/response`,
    ) as Response,
  ]),
);
registerFetchDecoder();
const definition = load("kafkajs/src/protocol/requests/fetch") as {
  protocol(options: {
    version: number;
  }): (request: object) => { response: Response };
};

const numbers = {
  int16: (value: number) => {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return bytes;
  },
  int32: (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  },
  int64: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return bytes;
  },
};
const { int16, int32, int64 } = numbers;

function partitionOf(version: number, partition: number, set: Buffer): Buffer {
  return Buffer.concat([
    int32(partition),
    int16(0),
    int64(9000), // high watermark
    int64(8999), // last stable offset
    ...(version >= 5 ? [int64(7)] : []), // log start
    // One aborted transaction, or null (-1) for none.
    ...(partition === 0 ? [int32(1), int64(5), int64(0)] : [int32(-1)]),
    ...(version >= 11 ? [int32(-1)] : []), // preferred replica
    int32(set.length),
    set,
  ]);
}

function answerOf(version: number, sets: readonly Buffer[]): Buffer {
  return Buffer.concat([
    int32(25), // throttle
    ...(version >= 7 ? [int16(0), int32(0)] : []),
    int32(1),
    int16(1),
    Buffer.from("t"),
    int32(sets.length),
    ...sets.map((set, i) => partitionOf(version, i, set)),
  ]);
}

const batch = (baseOffset: number, ...values: string[]) =>
  rawBatch({
    baseOffset,
    size: values.length,
    records: rawRecords(values.map((value) => ({ value: Buffer.from(value) }))),
  });

test.each(versions)(
  "an answer of version %d is read as kafkajs reads it, but for its records",
  async (version) => {
    const bytes = answerOf(version, [batch(10, "a", "b"), Buffer.alloc(0)]);
    const request = {
      topics: [
        { topic: "t", partitions: [{ partition: 0, fetchOffset: "11" }] },
        { topic: "t", partitions: [{ partition: 1, fetchOffset: "0" }] },
      ],
    };

    const ours = (await definition
      .protocol({ version })(request)
      .response.decode(bytes)) as Answer;
    const theirs = (await originals.get(version)!.decode(bytes)) as Answer;

    const without = ({ responses, ...rest }: Answer) => ({
      ...rest,
      responses: responses.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map((each) => ({
          ...each,
          messages: undefined,
          lastStartOffset: undefined,
          // Our decoder has applied aborted transactions already. Before version 11 there is no preferred replica.
          abortedTransactions: undefined,
          preferredReadReplica: undefined,
        })),
      })),
    });
    expect(without(ours)).toEqual(without(theirs));
    const [first, second] = ours.responses[0]!.partitions;
    const fetched = fetchedOf({ rawMessages: first!.messages })!;
    expect(fetched.records).toMatchObject([
      { topic: "t", partition: 0, offset: 11, value: Buffer.from("b") },
    ]);
    expect(first!.messages).toMatchObject([{ offset: "11" }]);
    expect(second!.messages).toEqual([]);
  },
);

test.each([
  ["is whole", 0],
  ["ends too early", 1],
])(
  "the memory of an answer that %s is used again, and its records keep their bytes",
  async (_, missing) => {
    const bytes = answerOf(11, [batch(0, "a".repeat(100_000))]);
    const answer = memoryFor(bytes.length - missing);
    bytes.copy(answer);
    const request = {
      topics: [
        { topic: "t", partitions: [{ partition: 0, fetchOffset: "0" }] },
      ],
    };
    const { response } = definition.protocol({ version: 11 })(request);

    const found = await response.decode(answer).catch(String);

    const next = memoryFor(bytes.length);
    expect(next.buffer).toBe(answer.buffer);
    next.fill(0);
    if (missing > 0) expect(found).toContain("ends too early");
    else {
      const [partition] = (found as Answer).responses[0]!.partitions;
      const { records } = fetchedOf({ rawMessages: partition!.messages })!;
      expect(records.map(({ value }) => String(value))).toEqual([
        "a".repeat(100_000),
      ]);
    }
  },
);
