/** Members whose process was killed, and their partitions when another process of the same machine joins. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import {
  recordingLog,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { createKafkajsClient } from "./client.ts";
import { removeGhosts } from "./ghosts.ts";
import { createKafka } from "./kafka.ts";
import { withCluster } from "./patches/cluster.ts";
import type { Consumer } from "../ports.ts";

/** How long the group waits for a silent member: longer than any of these tests may take. */
const SESSION_TIMEOUT_MS = 300_000;

const stack = useStack();
const children: ChildProcess[] = [];
const consumers: Consumer[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const consumer of consumers.splice(0)) await consumer.stop();
});

/** A process that is a member of the group and owns all of its partitions. */
async function memberProcess(name: string, topic: string) {
  const fixture = fileURLToPath(
    new URL("ghost-member.fixture.ts", import.meta.url),
  );
  const given = JSON.stringify({
    brokers: stack.brokers,
    groupId: stack.prefix + name,
    topic,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
  });
  const child = spawn(process.execPath, [fixture, given], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

/** Joins the group in this process. */
function join(name: string, topic: string) {
  const effects = testEffects();
  const consumer = createKafka(
    { brokers: stack.brokers, clientId: "ghosts-test" },
    effects,
  ).consumer({
    groupId: stack.prefix + name,
    topics: [topic],
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
  });
  consumers.push(consumer);
  const owned: number[] = [];
  void consumer.start({
    assigned: (_epoch, partitions) =>
      void owned.splice(
        0,
        Infinity,
        ...partitions.map(({ partition }) => partition),
      ),
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  return { owned, log: effects.log };
}

test("a process that starts after another was killed on the same machine owns the partitions long before the killed one's session ends", async () => {
  const [topic] = await stack.createTopics("killed");
  const before = await memberProcess("killed", topic!);
  before.kill("SIGKILL");
  await once(before, "exit");

  const { owned, log } = join("killed", topic!);

  // The test ends long before the session does.
  await waitFor(() => owned.length === 2);
  expect(log.of("consumer.ghostRemoved")).toHaveLength(1);
});

test("a member whose process is frozen stays in its group", async () => {
  const [topic] = await stack.createTopics("frozen");
  const frozen = await memberProcess("frozen", topic!);
  frozen.kill("SIGSTOP");
  const client = createKafkajsClient(
    { brokers: stack.brokers, clientId: "ghosts-test" },
    recordingLog(),
  );
  const { made: admin, cluster } = withCluster(client, () => client.admin());
  await admin.connect();
  const log = recordingLog();

  await removeGhosts(cluster, stack.prefix + "frozen", log);

  const { groups } = await admin.describeGroups([stack.prefix + "frozen"]);
  await admin.disconnect();
  expect(groups[0]!.members).toHaveLength(1);
  expect(log.lines).toEqual([]);
});
