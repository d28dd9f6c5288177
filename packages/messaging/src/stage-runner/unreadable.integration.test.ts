/** Batches that a publisher can write or a network can damage, and that kafkajs alone does not survive: the records behind them must be handled. */
import { afterEach, expect, test } from "@jest/globals";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import { compressFrame } from "lz4-napi";
import {
  produceRaw,
  rawBatch,
  rawRecords,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import type { DeadLetter } from "@postrider/core";
import type { Lifecycle } from "@postrider/runtime";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import { createKafka } from "../kafkajs/kafka.ts";
import { createOutput } from "../output/output.ts";
import type { InRecord } from "../record.ts";
import type { Stage } from "../stage.ts";
import { createStageRunner } from "./stage-runner.ts";

const stack = useStack();
const running: Lifecycle[] = [];
const closing: (() => void)[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed())
    await part.stop(Date.now() + 5000);
  for (const close of closing.splice(0)) close();
});

/** A runner that collects the values of what it handles. */
async function startRunner(
  topics: string | readonly string[],
  groupId: string,
  brokers: readonly string[] = stack.brokers,
) {
  const effects = testEffects();
  const kafka = createKafka({ brokers, clientId: "unreadable-test" }, effects);
  const handled: string[] = [];
  const deadLetterOf = createDeadLetterOf({
    stage: "test",
    clock: effects.clock,
  });
  const output = createOutput({
    kafka,
    encode: ({ value }) =>
      Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
    prefix: stack.prefix,
    deadLetterOf,
    ...effects,
  });
  const stage: Stage<string> = {
    laneOf: () => "one",
    laneConcurrency: () => 8,
    handle(record: InRecord<string>) {
      handled.push(record.value);
      return { kind: "emit", records: [] };
    },
  };
  const runner = createStageRunner({
    name: "test",
    stage,
    decode: ({ value }) =>
      value === null
        ? { kind: "unreadable", reason: "unreadable", detail: "no value" }
        : { kind: "decoded", value: value.toString() },
    kafka,
    groupId: stack.prefix + groupId,
    topics: [topics].flat(),
    output,
    ...effects,
    limits: { sessionTimeoutMs: stack.sessionTimeoutMs },
  });
  await output.start();
  running.push(output);
  await runner.start();
  running.push(runner);
  return { handled, effects, kafka };
}

const batchOf = (...values: string[]) =>
  rawBatch({
    size: values.length,
    records: rawRecords(values.map((value) => ({ value: Buffer.from(value) }))),
  });

/** Retries the publish: a topic that was created just now may have no leader yet. */
async function publish(topic: string, ...batches: Buffer[]): Promise<void> {
  const to = { topic, partition: 0 };
  for (const batch of batches)
    await waitFor(
      async () => {
        const answer = await produceRaw(stack.brokers[0]!, to, batch);
        return answer.errorCode === 0;
      },
      { what: "the broker to take the batch" },
    );
}

async function deadLettersOf(topic: string): Promise<DeadLetter[]> {
  const found = await readTopics(stack.kafka(), [
    `${stack.prefix}dead-letters`,
  ]);
  return found
    .map(({ value }) => JSON.parse(value!.toString()) as DeadLetter)
    .filter(({ recordTopic }) => recordTopic === topic);
}

async function isCommittedTo(groupId: string, topic: string, end: number) {
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    const [first] = await admin.fetchCommitted(stack.prefix + groupId, [topic]);
    return first?.offset === end;
  } finally {
    await admin.disconnect();
  }
}

const ascending = (count: number) =>
  rawRecords(Array.from({ length: count }, () => ({})));

/** Of a frame that has none, as lz4-napi makes it: flags at 4, the header's checksum at 6. */
function withWrongContentChecksum(frame: Buffer): Buffer {
  const bytes = Buffer.concat([frame, Buffer.from([1, 2, 3, 4])]);
  bytes[4]! |= 0x04;
  bytes[6] = 0xa7; // of the flags 0x64 and the block size 0x40
  return bytes;
}

const POISON: readonly {
  readonly name: string;
  readonly last: number;
  readonly reason: string;
  make(): Promise<Buffer> | Buffer;
}[] = [
  {
    name: "one record with 15,000 empty headers",
    last: 1,
    reason: "too_many_headers",
    make: () =>
      rawBatch({
        size: 1,
        records: rawRecords([
          {
            value: Buffer.from("many headers"),
            headers: Array.from(
              { length: 15_000 },
              (_, i) => [`h${i}`, Buffer.alloc(0)] as const,
            ),
          },
        ]),
      }),
  },
  {
    name: "400,000 empty records in a batch of zstd",
    last: 400_000,
    reason: "too_many_records",
    make: async () =>
      rawBatch({
        size: 400_000,
        codec: 4,
        records: await promisify(zstdCompress)(ascending(400_000)),
      }),
  },
  {
    name: "64 MB of zeros in 2 KB of zstd",
    last: 1,
    reason: "too_large_inflated",
    make: async () =>
      rawBatch({
        size: 1,
        codec: 4,
        records: await promisify(zstdCompress)(
          rawRecords([{ value: Buffer.alloc(64 << 20) }]),
        ),
      }),
  },
  {
    name: "64 MB of zeros in gzip",
    last: 1,
    reason: "too_large_inflated",
    make: async () =>
      rawBatch({
        size: 1,
        codec: 1,
        records: await promisify(gzip)(
          rawRecords([{ value: Buffer.alloc(64 << 20) }]),
        ),
      }),
  },
  {
    name: "lz4 whose content checksum is wrong, at which a broker does not look",
    last: 1,
    reason: "compression",
    make: async () =>
      rawBatch({
        size: 1,
        codec: 3,
        records: withWrongContentChecksum(
          await compressFrame(rawRecords([{ value: Buffer.from("lz4") }])),
        ),
      }),
  },
  {
    name: "records that all claim the same offset",
    last: 10,
    reason: "framing",
    make: () =>
      rawBatch({
        size: 10,
        records: rawRecords(
          Array.from({ length: 10 }, () => ({ offsetDelta: 0 })),
        ),
      }),
  },
];

test.each(POISON)(
  "$name: what is behind is handled, and a dead letter names its offsets",
  async ({ make, last, reason, name }) => {
    const id = `poison-${POISON.findIndex((each) => each.name === name)}`;
    const [topic] = await stack.createTopics(id, "dead-letters");

    await publish(topic!, batchOf("before"), await make(), batchOf("behind"));
    const { handled, effects } = await startRunner(topic!, id);

    await waitFor(() => handled.includes("behind"));
    await waitFor(() => isCommittedTo(id, topic!, last + 2));
    expect(handled).toEqual(["before", "behind"]);
    const letters = await deadLettersOf(topic!);
    expect(letters).toMatchObject([
      { reason: "unreadable", recordPartition: 0, recordOffset: 1 },
    ]);
    expect(letters[0]!.detail).toContain(
      last === 1 ? "offset" : `offsets 1 to ${last}`,
    );
    expect(effects.log.of("batch.unreadable")).toMatchObject([
      { level: "error", fields: { reason, firstOffset: 1, lastOffset: last } },
    ]);
    expect(await effects.meter.render()).toContain(
      `postrider_unreadable_total{topic="${topic!}",reason="${reason}",service="test"} 1`,
    );
  },
);

/** A proxy between the clients and the broker; each fetch response goes through `change`. */
async function startProxy(change: (chunk: Buffer) => void): Promise<string> {
  const [host, port] = stack.brokers[0]!.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect({ host: host!, port: Number(port) });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        broker.destroy();
      });
    }
    client.pipe(broker);
    broker.on("data", (chunk) => {
      ownPort(chunk);
      change(chunk);
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const own = (server.address() as AddressInfo).port; // it listens on TCP
  const portBytes = Buffer.alloc(4);
  portBytes.writeInt32BE(Number(port));
  /** Rewrites the broker's own address in its answers (as leader, as coordinator), so that the client comes back to the proxy. */
  function ownPort(chunk: Buffer): void {
    for (let at = 0; (at = chunk.indexOf(portBytes, at)) >= 0; at += 4)
      chunk.writeInt32BE(own, at);
  }
  return `${host!}:${own}`;
}

/** So many fetches that begin with the batch of `value` bring it broken, and all that bring it behind others. */
function flipping(value: string, times: number) {
  let left = times;
  return (chunk: Buffer): void => {
    const at = chunk.indexOf(value);
    if (at < 0 || (!chunk.includes("before") && left-- <= 0)) return;
    chunk[at]! ^= 1;
  };
}

test("a leader that gives broken bytes for seconds is asked again, and nothing is lost", async () => {
  const [topic] = await stack.createTopics("flip-passes", "dead-letters");
  await publish(topic!, batchOf("before"), batchOf("FLIP"), batchOf("behind"));
  // The fourth fetch comes five seconds after the first.
  const proxy = await startProxy(flipping("FLIP", 3));

  const { handled, effects } = await startRunner(topic!, "flip-passes", [
    proxy,
  ]);

  await waitFor(() => handled.length === 3);
  expect(handled).toEqual(["before", "FLIP", "behind"]);
  expect(effects.log.of("batch.unreadable")).toEqual([]);
});

test("a batch whose checksum is wrong each time is given up, the records behind it are handled, and other partitions do not wait meanwhile", async () => {
  const [topic, beside] = await stack.createTopics(
    "flip-stays",
    "flip-beside",
    "dead-letters",
  );
  await publish(
    topic!,
    batchOf("before"),
    batchOf("one", "FLIP", "three"),
    batchOf("behind"),
  );
  const proxy = await startProxy(flipping("FLIP", Infinity));

  const { handled, effects } = await startRunner(
    [topic!, beside!],
    "flip-stays",
    [proxy],
  );
  await waitFor(() => handled.includes("before"));
  await publish(beside!, batchOf("beside"));
  await waitFor(() => handled.includes("beside"));
  const whileBeside = effects.log.of("batch.unreadable");

  await waitFor(() => handled.includes("behind"), { timeoutMs: 60_000 });
  await waitFor(() => isCommittedTo("flip-stays", topic!, 5));
  expect(whileBeside).toEqual([]);
  expect(handled).toEqual(["before", "beside", "behind"]);
  expect(await deadLettersOf(topic!)).toMatchObject([
    { reason: "unreadable", recordOffset: 1, recordPartition: 0 },
  ]);
  expect(effects.log.of("batch.unreadable")).toMatchObject([
    { fields: { reason: "checksum", firstOffset: 1, lastOffset: 3 } },
  ]);
});
