/** Groups and logs as people look at them, on a real Kafka. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { VERSION } from "@postrider/runtime";
import { useStack } from "@postrider/testkit";
import type { Admin, Consumer } from "../ports.ts";

const stack = useStack();
const LONG = 60_000;
let admin: Admin;
let topic = "";
const members: Consumer[] = [];

beforeAll(async () => {
  [topic] = (await stack.createTopics("described")) as [string];
  admin = stack.kafka().impatientAdmin();
  await admin.connect();
}, LONG);
afterAll(async () => {
  await Promise.all(members.map((member) => member.stop()));
  await admin?.disconnect();
}, LONG);

/** Resolves once it is assigned partitions. */
async function join(groupId: string): Promise<void> {
  const member = stack.kafka().consumer({ groupId, topics: [topic] });
  members.push(member);
  const assigned = Promise.withResolvers<void>();
  await member.start({
    assigned: () => assigned.resolve(),
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  await assigned.promise;
}

test(
  "of the wanted groups each is told with its members, their version and their partitions",
  async () => {
    await join(`${stack.prefix}wanted`);
    await join(`${stack.prefix}other`);

    const { groups, silent } = await admin.describeGroups(
      (groupId) => groupId === `${stack.prefix}wanted`,
    );

    expect(silent).toEqual([]);
    expect(groups).toEqual([
      {
        groupId: `${stack.prefix}wanted`,
        state: "Stable",
        members: [
          {
            clientId: `postrider-${stack.prefix.slice(0, -1)}`,
            host: expect.stringMatching(/^[\d.:a-f]+$/),
            version: VERSION,
            pid: process.pid,
            partitions: [
              { topic, partition: 0 },
              { topic, partition: 1 },
            ],
          },
        ],
      },
    ]);
  },
  LONG,
);

test(
  "a log is told with its range and its replicas, and a topic that is not there as missing",
  async () => {
    const producer = await stack.kafka().createProducer();
    await producer.sendBatch([
      { topic, partition: 1, key: null, value: Buffer.from("one") },
    ]);
    await producer.disconnect();

    const found = await admin.describeLogs([`${stack.prefix}none`, topic]);

    const partition = { hasLeader: true, replicas: 1, inSyncReplicas: 1 };
    expect(found).toEqual([
      { kind: "missing", topic: `${stack.prefix}none` },
      {
        kind: "described",
        topic,
        partitions: [
          {
            ...partition,
            partition: 0,
            range: { topic, partition: 0, start: 0, end: 0 },
          },
          {
            ...partition,
            partition: 1,
            range: { topic, partition: 1, start: 0, end: 1 },
          },
        ],
      },
    ]);
  },
  LONG,
);
