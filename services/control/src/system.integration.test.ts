/** What control tells of groups, topics and its own configuration, on a real Kafka. */
import { beforeAll, expect, test } from "@jest/globals";
import { encodeOffsetMetadata, topicName } from "@postrider/messaging";
import { VERSION } from "@postrider/runtime";
import { useStack, waitFor } from "@postrider/testkit";
import {
  ADMIN_KEY,
  useControl,
  type Ask,
} from "../fixtures/running-control.ts";
import type { StageView, SystemView } from "./system/system-operations.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;
const full = (name: string): string => topicName(stack.prefix, name);

beforeAll(async () => {
  await stack.createAllTopics("retry.1s");
}, LONG);

const systemOf = async (ask: Ask): Promise<SystemView> => {
  const { status, body } = await ask<SystemView>("GET /v1/system");
  expect(status).toBe(200);
  return body;
};

function stageOf(system: SystemView, name: string): StageView {
  return system.stages.find((stage) => stage.name === name)!;
}

async function write(topic: string, values: readonly string[]): Promise<void> {
  const producer = await stack.kafka().createProducer();
  await producer.sendBatch(
    values.map((value) => ({
      topic,
      partition: 0,
      key: null,
      value: Buffer.from(value),
    })),
  );
  await producer.disconnect();
}

/** A member of the group that commits once, and stays until the end of the test. */
async function commitAs(
  groupId: string,
  topic: string,
  commit: { readonly offset: number; readonly metadata: string },
): Promise<void> {
  const consumer = stack.kafka().consumer({ groupId, topics: [topic] });
  control.onEnd(() => consumer.stop());
  const assigned = Promise.withResolvers<number>();
  await consumer.start({
    assigned: (epoch) => assigned.resolve(epoch),
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  await consumer.commit(await assigned.promise, [
    { topic, partition: 0, ...commit },
  ]);
}

test(
  "a stage says who serves it, in which version, and how far it is; a process is seen with its version",
  async () => {
    const { ask } = await control.startOwner();
    await write(full("events"), ["one", "two", "three"]);

    const system = await waitFor(
      async () => {
        const now = await systemOf(ask);
        const isThere =
          stageOf(now, "route").behind === 3 &&
          stageOf(now, "control-signals").state === "stable";
        return isThere ? now : null;
      },
      { everyMs: 500, timeoutMs: 60_000 },
    );

    const ours = { pid: process.pid, version: VERSION };
    expect(system.processes).toEqual([
      expect.objectContaining({ service: "control", ...ours }),
    ]);
    expect(stageOf(system, "control-signals").members).toEqual([
      expect.objectContaining({ ...ours, partitions: 2 }),
    ]);
    expect(stageOf(system, "route")).toMatchObject({
      state: "none",
      service: "ingest",
      isWaiting: false,
      behind: 3,
      unfinished: 3,
      topics: [{ topic: full("events"), partitions: 2, end: 3, committed: 0 }],
      problem: null,
    });
    expect(stageOf(system, "retry-scheduler")).toMatchObject({
      isWaiting: true,
      topics: [{ topic: full("retry.1s"), behind: 0 }],
    });
    expect(system.topics).toContainEqual({
      topic: full("events"),
      partitions: 2,
      replicas: 1,
      underReplicated: 0,
      leaderless: 0,
      records: 3,
      problem: null,
    });
    expect(system.problem).toBeNull();
  },
  LONG,
);

test(
  "records that are done behind one that is not count as behind, and not as unfinished; a source is a stage of its own",
  async () => {
    const { ask } = await control.startOwner();
    const [source] = await stack.createTopics("shop.orders");
    await write(full("deliveries"), Array.from({ length: 20 }, String));
    await write(source!, ["one", "two"]);
    const metadata = encodeOffsetMetadata({
      base: 2,
      next: 18,
      runs: [2, 1],
      tag: "test",
      counter: 1,
    });
    await commitAs(full("dispatcher"), full("deliveries"), {
      offset: 2,
      metadata,
    });
    await commitAs(full(`route.${source}`), source!, {
      offset: 1,
      metadata: "",
    });

    const system = await waitFor(
      async () => {
        const now = await systemOf(ask);
        return stageOf(now, "dispatcher").unfinished === 3 &&
          stageOf(now, `route.${source}`)?.behind === 1
          ? now
          : null;
      },
      { everyMs: 500, timeoutMs: 60_000 },
    );

    expect(stageOf(system, "dispatcher")).toMatchObject({
      state: "stable",
      behind: 18,
      unfinished: 3,
    });
    expect(system.topics.map(({ topic }) => topic)).toContain(source);
  },
  LONG,
);

test(
  "the configuration says of each setting its value and where it came from, and no secret",
  async () => {
    const { ask } = await control.startOwner({ POSTRIDER_QUERY_TIMEOUT: "7s" });

    const { body, text } = await ask<{
      version: string;
      settings: { variable: string; value: string | null; from: string }[];
    }>("GET /v1/config");

    const shown = Object.fromEntries(
      body.settings.map(({ variable, value, from }) => [
        variable,
        [value, from],
      ]),
    );
    expect(body.version).toBe(VERSION);
    expect(shown).toMatchObject({
      POSTRIDER_QUERY_TIMEOUT: ["7s", "environment"],
      POSTRIDER_RESUME_RATE: ["500", "default"],
      POSTRIDER_ADMIN_KEY: ["[redacted]", "environment"],
      POSTRIDER_ENCRYPTION_KEYS: ["[redacted]", "environment"],
      CLICKHOUSE_URL: ["[redacted]", "environment"],
      CLICKHOUSE_PASSWORD: [null, "default"],
    });
    for (const secret of [
      ADMIN_KEY,
      control.encryptionKeys,
      control.encryptionKeys.split(":")[1]!,
      stack.clickhouseUrl,
    ])
      expect(text).not.toContain(secret);
  },
  LONG,
);

test(
  "a reader of all tenants sees the system and not the configuration; a publisher sees neither",
  async () => {
    const { ask } = await control.startOwner();
    const statuses = async (role: string): Promise<number[]> => {
      const { body } = await ask<{ token: string }>("POST /v1/keys", {
        name: role,
        role,
      });
      const asked = ["GET /v1/system", "GET /v1/config"].map((what) =>
        ask(what, undefined, { authorization: `Bearer ${body.token}` }),
      );
      return (await Promise.all(asked)).map(({ status }) => status);
    };

    expect(await statuses("reader")).toEqual([200, 403]);
    expect(await statuses("publisher")).toEqual([403, 403]);
  },
  LONG,
);
