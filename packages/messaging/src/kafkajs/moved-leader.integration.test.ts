import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { leadersOf, startStack, type Stack } from "@postrider/local-stack";
import { readTopics, testEffects, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafka.ts";
import { PartlyAcknowledgedError } from "../ports.ts";

let stack: Stack;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  stack = await startStack({ provider: "local", brokers: 3 });
});
afterAll(async () => {
  for (const close of closing) await close();
  await stack.stop();
});

/** Makes a topic. Returns its leaders by partition, once every broker knows them all: a client may ask any of them. */
async function makeTopic(topic: string, partitions: number): Promise<number[]> {
  const { brokers } = stack.kafka;
  const kafka = createKafka({ brokers, clientId: "cluster" }, testEffects());
  // A broker that was started again a moment ago may count as silent, and then nobody connects to it.
  await waitFor(async () => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await admin.createTopics([
        { topic, partitions, replicationFactor: -1, config: {} },
      ]);
      return true;
    } catch (error) {
      // Made, though the answer was lost.
      if ((await leadersOf(brokers, topic)).length === partitions) return true;
      throw error;
    } finally {
      await admin.disconnect();
    }
  });
  return await waitFor(async () => {
    const views = await Promise.all(
      brokers.map((broker) => leadersOf([broker], topic)),
    );
    const [first = []] = views;
    const leaders = first.filter((leader) => leader !== null);
    const isKnown = new Set(views.map((view) => view.join())).size === 1;
    return leaders.length === partitions && isKnown && leaders;
  });
}

test("a record whose partition moved to a broker that had answered already is not reported as acknowledged", async () => {
  const { brokers, servers } = stack.kafka;
  const kafka = createKafka({ brokers, clientId: "cluster" }, testEffects());
  const topic = "moving";
  const leaders = await makeTopic(topic, 6);
  const [lost] = leaders;
  const producer = await kafka.createProducer();
  closing.push(() => producer.disconnect());
  await producer.warm([topic]);
  const records = leaders.map((_, partition) => {
    const value = Buffer.from(String(partition));
    return { topic, partition, key: null, value };
  });

  // Freeze this broker first, so that the others answer while it holds the request. Kill it once the others lead its partitions.
  servers[lost! - 1]!.freeze();
  const sent = producer.sendBatch(records).then(
    () => new Set(records),
    (error: unknown) => {
      if (error instanceof PartlyAcknowledgedError) return error.acknowledged;
      throw error;
    },
  );
  await waitFor(async () => !(await leadersOf(brokers, topic)).includes(lost!));
  // What the others have stored is visible, so they have answered. Without this wait the test still holds, but would show the defect less often.
  const alive = brokers.filter((_, at) => at !== lost! - 1);
  const admin = createKafka(
    { brokers: alive, clientId: "cluster" },
    testEffects(),
  ).admin();
  closing.push(() => admin.disconnect());
  await admin.connect();
  await waitFor(async () => {
    const ranges = await admin.fetchLogRanges([topic]);
    return ranges.every(
      ({ partition, end }) => end === 1 || leaders[partition] === lost,
    );
  });
  await servers[lost! - 1]!.kill9();
  const acknowledged = await sent;

  await servers[lost! - 1]!.restart();
  const kept = (await readTopics(kafka, [topic])).map((one) => one.partition);
  expect(acknowledged.size).toBeGreaterThan(0);
  for (const { partition } of acknowledged) expect(kept).toContain(partition);
});

test("once a partition's leader has moved, its log's range is asked for at the new leader, though no fetch has noticed", async () => {
  const { brokers, servers } = stack.kafka;
  const topic = "ranged";
  const [leader] = await makeTopic(topic, 1);
  const partition = { topic, partition: 0 };
  const kafka = createKafka({ brokers, clientId: "ranges" }, testEffects());
  const consumer = kafka.consumer({ groupId: "ranges", topics: [topic] });
  closing.push(() => consumer.stop());
  await consumer.start({
    // The partition stays paused, so no fetch fails and makes kafkajs read the metadata again.
    assigned: () => undefined,
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  const endOf = async () =>
    (await consumer.fetchLogRanges([partition]))[0]?.end;
  await waitFor(async () => (await endOf()) === 0);
  // Connected now: nobody connects to a broker that counts as silent. On a busy machine one that is late counts as silent for a moment, too.
  const producer = await waitFor(() => kafka.createProducer());
  closing.push(() => producer.disconnect());

  servers[leader! - 1]!.freeze();
  await waitFor(
    async () => {
      const [now] = await leadersOf(brokers, topic);
      return now !== null && now !== leader;
    },
    { timeoutMs: 60_000, what: "another leader" },
  );
  servers[leader! - 1]!.thaw();
  // Only the new leader takes it, so its end shows who answered.
  const record = { ...partition, key: null, value: Buffer.from("1") };
  // The broker that was frozen may count as silent for a moment more, and a batch is tried once.
  await waitFor(() =>
    producer.sendBatch([record]).then(
      () => true,
      () => false,
    ),
  );

  await waitFor(async () => ((await endOf()) ?? 0) >= 1, { timeoutMs: 60_000 });
});
