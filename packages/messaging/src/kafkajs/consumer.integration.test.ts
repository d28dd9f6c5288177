import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import {
  startKafkaProxy,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { hostAndPort } from "@postrider/runtime";
import kafkajs from "kafkajs";
import { createKafka } from "./kafka.ts";
import { createKafkajsClient, PROBE_RETRY } from "./client.ts";
import { isGroupServed, reach } from "./reachable.ts";
import {
  CommitError,
  StaleAssignmentError,
  type Consumer,
  type ConsumerListener,
  type FetchedBatch,
} from "../ports.ts";

const stack = useStack();
const consumers: Consumer[] = [];
const closing: (() => unknown)[] = [];
// kafkajs is CommonJS: the same instances of its modules that our adapters use.
const load = createRequire(import.meta.url);

afterEach(async () => {
  for (const close of closing.splice(0)) close();
  for (const consumer of consumers.splice(0)) await consumer.stop();
});

function createMember(
  groupId: string,
  topic: string,
  listener: Partial<ConsumerListener> = {},
) {
  const effects = testEffects();
  const kafka = createKafka(
    { brokers: stack.brokers, clientId: "consumer-test" },
    effects,
  );
  const consumer = kafka.consumer({
    groupId: stack.prefix + groupId,
    topics: [topic],
    sessionTimeoutMs: stack.sessionTimeoutMs,
  });
  consumers.push(consumer);
  const assignments: [epoch: number, partitions: number[]][] = [];
  const batches: FetchedBatch[] = [];
  const connections: boolean[] = [];
  const started = consumer.start({
    assigned: (epoch, partitions) => {
      assignments.push([
        epoch,
        partitions.map(({ partition }) => partition).toSorted((a, b) => a - b),
      ]);
      consumer.resume(partitions);
    },
    revoking: () => undefined,
    batch: (_epoch, batch) => void batches.push(batch),
    outOfRange: () => undefined,
    connected: (isConnected) => void connections.push(isConnected),
    ...listener,
  });
  return {
    kafka,
    consumer,
    assignments,
    batches,
    connections,
    started,
    effects,
  };
}

async function produce(
  topic: string,
  values: readonly string[],
): Promise<void> {
  const { Kafka: Client, logLevel } = kafkajs;
  const producer = new Client({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  }).producer();
  await producer.connect();
  await producer.send({
    topic,
    messages: values.map((value) => ({ partition: 0, value })),
  });
  await producer.disconnect();
}

async function admin<T>(use: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const { Kafka: Client, logLevel } = kafkajs;
  const one = new Client({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await one.connect();
  try {
    return await use(one);
  } finally {
    await one.disconnect();
  }
}

const offsetsOf = (member: { consumer: Consumer }, topic: string) =>
  member.consumer.fetchCommitted([{ topic, partition: 0 }]);

test("after a crash that kafkajs does not restart, a new life begins and reads on", async () => {
  const [topic] = await stack.createTopics("crash");
  let failures = 0;
  const seen: string[] = [];
  const member = createMember("crash", topic!, {
    batch: (_epoch, { records }) => {
      if (failures++ === 0) throw new TypeError("a bug, and not retriable");
      seen.push(...records.map(({ value }) => value!.toString()));
    },
  });
  await member.started;

  await produce(topic!, ["one", "two"]);

  await waitFor(() => seen.length === 2);
  expect(seen).toEqual(["one", "two"]);
  expect(member.assignments.map(([epoch]) => epoch)).toEqual([1, 2]);
  expect(member.connections).toContain(false);
  await waitFor(() => member.connections.at(-1) === true);
  expect(member.effects.log.of("consumer.crashed")).toHaveLength(1);
});

test("a consumer that joins, fetches and crashes each time waits longer each time, until it has delivered a batch", async () => {
  const [topic] = await stack.createTopics("crashes");
  let crashesLeft = 3;
  const seen: string[] = [];
  const member = createMember("crashes", topic!, {
    batch: (_epoch, { records }) => {
      if (crashesLeft-- > 0) throw new TypeError("a bug, and not retriable");
      for (const { value } of records) seen.push(value!.toString());
    },
  });
  await member.started;
  await produce(topic!, ["one"]);
  await waitFor(() => seen.length === 1);

  crashesLeft = 1;
  await produce(topic!, ["two"]);
  await waitFor(() => seen.includes("two"));

  expect(
    member.effects.log
      .of("consumer.crashed")
      .map(({ fields }) => fields["waitMs"]),
  ).toEqual([200, 400, 800, 200]);
});

test("a stop before the first fetch leaves no member behind", async () => {
  const [topic] = await stack.createTopics("early");
  const member = createMember("early", topic!);
  await waitFor(
    () => member.assignments.length > 0 || member.connections.length > 0,
    { everyMs: 1 },
  );

  await member.consumer.stop();
  await member.started;

  const { groups } = await admin((one) =>
    one.describeGroups([`${stack.prefix}early`]),
  );
  expect(groups[0]!.members).toEqual([]);
});

test("a stop while the topic is missing returns, and a start waits until it is there", async () => {
  const topic = `${stack.prefix}late`;
  const impatient = createMember("late", topic);
  await impatient.consumer.stop();
  const patient = createMember("late", topic);
  let hasStarted = false;
  void patient.started.then(() => (hasStarted = true));
  await waitFor(() => patient.connections.includes(false));
  expect(hasStarted).toBe(false);

  await stack.createTopics("late");

  await patient.started;
  expect(patient.assignments).toEqual([[1, [0, 1]]]);
});

test("nothing is fetched from a new assignment until it is resumed", async () => {
  const [topic] = await stack.createTopics("paused");
  await produce(topic!, ["one"]);
  const member = createMember("paused", topic!, { assigned: () => undefined });
  await member.started;
  const turned = member.consumer.lastFetchAt();
  await waitFor(() => member.consumer.lastFetchAt() > turned + 300);
  expect(member.batches).toEqual([]);

  member.consumer.resume([{ topic: topic!, partition: 0 }]);

  await waitFor(() => member.batches.length === 1);
});

test("a join counts from when its last request was sent, however late the answer is read", async () => {
  const [topic] = await stack.createTopics("late-join");
  const { prototype: broker } = load("kafkajs/src/broker") as {
    prototype: { syncGroup(request: unknown): Promise<unknown> };
  };
  const { syncGroup } = broker;
  let sentAt = 0;
  broker.syncGroup = async function (request) {
    sentAt = performance.now();
    const answer = await syncGroup.call(this, request);
    await waitFor(() => performance.now() > sentAt + 100);
    return answer;
  };
  closing.push(() => (broker.syncGroup = syncGroup));
  const counted: number[] = [];

  const { started, consumer } = createMember("late-join", topic!, {
    assigned: () => counted.push(consumer.lastHeartbeatAt()),
  });
  await started;

  expect(counted).toHaveLength(1);
  expect(counted[0]).toBeLessThanOrEqual(sentAt);
});

test("a member that is leaving keeps what it has at a rebalance, and gets nothing new", async () => {
  const topic = `${stack.prefix}leaving`;
  await admin((one) =>
    one.createTopics({
      topics: [{ topic, numPartitions: 6 }],
      waitForLeaders: true,
    }),
  );
  const members = [1, 2, 3].map(() => createMember("leaving", topic));
  const owned = () => members.map(({ assignments }) => assignments.at(-1)?.[1]);
  await waitFor(() => owned().every((partitions) => partitions?.length === 2));
  const [leaving, gone, staying] = members;
  const before = owned();

  leaving!.consumer.beginLeaving();
  await gone!.consumer.stop();

  await waitFor(() => staying!.assignments.at(-1)?.[1].length === 4);
  expect(owned()[0]).toEqual(before[0]);
});

test("a commit is stored with its metadata; one of an ended assignment, or too long, is refused", async () => {
  const [topic] = await stack.createTopics("commit");
  const member = createMember("commit", topic!);
  await member.started;
  const at = (offset: number, metadata: string) => [
    { topic: topic!, partition: 0, offset, metadata },
  ];

  await member.consumer.commit(1, at(7, "mine"));

  expect(await offsetsOf(member, topic!)).toEqual([
    { topic, partition: 0, offset: 7, metadata: "mine" },
  ]);
  await expect(member.consumer.commit(0, at(9, ""))).rejects.toThrow(
    StaleAssignmentError,
  );
  await expect(
    member.consumer.commit(1, at(9, "x".repeat(4097))),
  ).rejects.toThrow(CommitError);
  expect(await offsetsOf(member, topic!)).toMatchObject([{ offset: 7 }]);
});

test("a commit that starts on revoking is stored, and its epoch is over after the join", async () => {
  const [topic] = await stack.createTopics("revoke");
  const commits: Promise<void>[] = [];
  const first = createMember("revoke", topic!, {
    revoking: (epoch) =>
      void commits.push(
        first.consumer.commit(epoch, [
          { topic: topic!, partition: 0, offset: 3, metadata: "last" },
        ]),
      ),
  });
  await first.started;

  const second = createMember("revoke", topic!);
  await second.started;
  await waitFor(() => first.assignments.length === 2);

  await commits[0];
  expect(await offsetsOf(second, topic!)).toMatchObject([
    { offset: 3, metadata: "last" },
  ]);
  expect(first.assignments[1]![1]).toHaveLength(1);
  await expect(first.consumer.commit(1, [])).rejects.toThrow(
    StaleAssignmentError,
  );
});

test("a position outside the log is reported, its partition pauses, and the stored commit does not change", async () => {
  const [topic] = await stack.createTopics("range");
  await produce(topic!, ["one"]);
  const told: number[] = [];
  const member = createMember("range", topic!, {
    assigned: () => undefined,
    outOfRange: (_epoch, { partition }) => void told.push(partition),
  });
  await member.started;
  await member.consumer.commit(1, [
    { topic: topic!, partition: 0, offset: 1, metadata: "mine" },
  ]);

  member.consumer.seek({ topic: topic!, partition: 0 }, 500);
  member.consumer.resume([{ topic: topic!, partition: 0 }]);
  await waitFor(() => told.length > 0);

  expect(await offsetsOf(member, topic!)).toMatchObject([
    { offset: 1, metadata: "mine" },
  ]);
  member.consumer.seek({ topic: topic!, partition: 0 }, 0);
  member.consumer.resume([{ topic: topic!, partition: 0 }]);
  await waitFor(() => member.batches.length === 1);
  expect(told).toEqual([0]);
});

test("the logs' ranges and ends are those of the partitions asked for", async () => {
  const [topic] = await stack.createTopics("ranges");
  await produce(topic!, ["one", "two", "three"]);
  const member = createMember("ranges", topic!);
  await member.started;

  const asked = [1, 0].map((partition) => ({ topic: topic!, partition }));
  const ranges = await member.consumer.fetchLogRanges(asked);
  const ends = await member.consumer.fetchLogEnds(asked);

  expect(ranges).toEqual([
    { topic, partition: 1, start: 0, end: 0 },
    { topic, partition: 0, start: 0, end: 3 },
  ]);
  expect(ends).toEqual(
    ranges.map(({ partition, end }) => ({ topic, partition, end })),
  );
});

test("`fetchOffsetAt` gives the offset of the first record written at that time or later", async () => {
  const [topic] = await stack.createTopics("times");
  await produce(topic!, ["one", "two"]);
  const between = Date.now() + 1;
  await waitFor(() => Date.now() > between);
  await produce(topic!, ["three"]);
  const member = createMember("times", topic!);
  await member.started;
  const offsetAt = (at: number) =>
    member.consumer.fetchOffsetAt({ topic: topic!, partition: 0 }, at);

  expect(await offsetAt(0)).toBe(0);
  expect(await offsetAt(between)).toBe(2);
  expect(await offsetAt(Date.now() + 60_000)).toBeNull();
});

const noListener: ConsumerListener = {
  assigned: () => undefined,
  revoking: () => undefined,
  batch: () => undefined,
  outOfRange: () => undefined,
  connected: () => undefined,
};

test("a stop keeps its deadline though the broker does not answer, and leaves nothing behind that reconnects", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const sockets: Socket[] = [];
  silent.on("connection", (socket) => sockets.push(socket));
  const effects = testEffects();
  const connection = { brokers: [`127.0.0.1:${port}`], clientId: "test" };
  const consumer = createKafka(connection, effects).consumer({
    groupId: "g",
    topics: ["t"],
  });
  const started = consumer.start(noListener);
  await waitFor(() => sockets.length > 0);

  const before = performance.now();
  await consumer.stop(Date.now() + 200);

  // Without a deadline a stop takes up to 5 s.
  expect(performance.now() - before).toBeLessThan(4_500);
  await started;
  for (const socket of sockets) socket.destroy();
  silent.close();
  // If a client went on reconnecting, Jest would not exit.
  await consumer.stop();
});

test("a cluster that does not answer is reported, and the wait for it can be aborted", async () => {
  const client = () =>
    createKafkajsClient(
      { brokers: ["127.0.0.1:1"], clientId: "test" },
      testEffects().log,
      PROBE_RETRY,
    );
  const faults: Error[] = [];
  const ending = new AbortController();
  const waiting = reach(client(), ["t"], ending.signal, (fault) =>
    faults.push(fault),
  );

  expect(await isGroupServed(client(), { groupId: "g", topics: ["t"] })).toBe(
    false,
  );
  await waitFor(() => faults.length > 1);
  ending.abort();

  await waiting;
});

/** A broker of which the first request gets no answer, as if the machine were very busy; the connection stays open. Resolves with its address. */
async function brokerOfALateFirstAnswer(): Promise<string> {
  const { host, port } = hostAndPort(stack.brokers[0]!);
  let isFirst = true;
  const server = createServer((near) => {
    const far = connect({ host, port });
    far.pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    near.on("data", (bytes) => {
      if (!isFirst) far.write(bytes);
      isFirst = false;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a broker whose first answer was too late is reached all the same", async () => {
  const [topic] = await stack.createTopics("late-answer");
  const broker = await brokerOfALateFirstAnswer();
  const probe = createKafkajsClient(
    { brokers: [broker], clientId: "late-answer" },
    testEffects().log,
    PROBE_RETRY,
  );
  const closed = new AbortController();
  closing.push(() => closed.abort());
  const faults: string[] = [];
  let isReached = false;

  void reach(probe, [topic!], closed.signal, ({ message }) =>
    faults.push(message),
  ).then(() => (isReached = true));

  await waitFor(() => isReached || faults.length > 9);
  expect(faults).not.toContain("Broker not connected");
  expect(isReached).toBe(true);
});

test("while a group has no coordinator its member is not blamed for standing still, though the broker answers", async () => {
  const [topic] = await stack.createTopics("uncoordinated");
  const proxy = await startKafkaProxy(stack.brokers[0]!);
  closing.push(() => proxy.close());
  const connection = { brokers: [proxy.broker], clientId: "uncoordinated" };
  const { log } = testEffects();
  const group = {
    groupId: `${stack.prefix}uncoordinated`,
    topics: [topic!],
  };
  const isServed = () =>
    isGroupServed(createKafkajsClient(connection, log, PROBE_RETRY), group);
  expect(await isServed()).toBe(true);

  proxy.lackCoordinators(true);
  expect(await isServed()).toBe(false);
  const consumer = createKafka(connection, testEffects()).consumer(group);
  consumers.push(consumer);
  const connections: boolean[] = [];
  const started = consumer.start({
    ...noListener,
    connected: (isConnected) => connections.push(isConnected),
  });
  const begunAt = consumer.lastFetchAt();
  await waitFor(() => consumer.lastFetchAt() > begunAt, { timeoutMs: 30_000 });
  expect(connections).toEqual([]); // so it was the excuse that moved the time

  proxy.lackCoordinators(false);
  await started;
  expect(await isServed()).toBe(true);
  await consumer.stop(); // before the proxy closes
});
