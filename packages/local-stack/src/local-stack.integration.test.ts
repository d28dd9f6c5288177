import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "@postrider/testkit";
import { engineLibrary, startClickHouse } from "./clickhouse-server.ts";
import { freePorts } from "@postrider/runtime";
import { startStack, type Stack, type StackOptions } from "./index.ts";
import { startJanitor } from "./janitor.ts";
import { kafkaFiles } from "./kafka-files.ts";
import { startKafka } from "./kafka-server.ts";
import { clusterIdAt, coordinatorOf, leadersOf } from "./kafka-roles.ts";

const FIRST_DOWNLOAD_MS = 180_000;

/** One stack for all tests that leave it as they found it. `leftover` is the folder of a dead process, which existed before the stack was started. */
let shared: Stack;
let leftover: string;
beforeAll(async () => {
  const gone = spawn("true");
  await once(gone, "exit");
  leftover = join(tmpdir(), `postrider-stack-${gone.pid}-abcdef`);
  mkdirSync(leftover);
  shared = await startStack({ provider: "local" });
}, FIRST_DOWNLOAD_MS);
afterAll(async () => {
  await shared.stop();
});

const stacks: Stack[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.stop();
  for (const folder of folders.splice(0))
    rmSync(folder, { recursive: true, force: true });
});

async function aStack(options: StackOptions = {}): Promise<Stack> {
  const stack = await startStack({ provider: "local", ...options });
  stacks.push(stack);
  return stack;
}

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "postrider-test-"));
  folders.push(folder);
  return folder;
}

const kafkaPortOf = (stack: Stack): number =>
  Number(stack.kafka.brokers[0]?.split(":")[1]);

async function query(url: string, sql: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    body: sql,
    headers: { connection: "close" },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text.trim();
}

/** The folders that stacks of this process have made and not removed. */
function foldersOfOurs(): string[] {
  return readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`postrider-stack-${process.pid}-`),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test(
  "a killed ClickHouse comes back on its port with its data, a killed Kafka with its cluster",
  async () => {
    const { kafka, clickhouse } = shared;
    const { url, server } = clickhouse;
    await query(url, "CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n");
    await query(url, "INSERT INTO t VALUES (7)");
    const clusterId = await clusterIdAt(kafkaPortOf(shared));

    await Promise.all([server?.kill9(), kafka.server?.kill9()]);
    const pidsWhileDown = [server?.pid(), kafka.server?.pid()];
    await Promise.all([server?.restart(), kafka.server?.restart()]);

    expect(pidsWhileDown).toEqual([null, null]);
    expect(await query(url, "SELECT n FROM t")).toBe("7");
    expect(await clusterIdAt(kafkaPortOf(shared))).toBe(clusterId);
  },
  FIRST_DOWNLOAD_MS,
);

test(
  "of three brokers one can be killed: another takes over its groups and partitions, and it comes back",
  async () => {
    const { kafka } = await aStack({ brokers: 3 });
    const first = await coordinatorOf(kafka.brokers, "some-group");
    const killed = kafka.servers[(first ?? 0) - 1];

    await killed?.kill9();

    await waitFor(async () => {
      const now = await coordinatorOf(kafka.brokers, "some-group");
      const leaders = await leadersOf(kafka.brokers, "__consumer_offsets");
      return ![now, ...leaders].some((id) => id === null || id === first);
    });
    await killed?.restart();
    expect(new Set(kafka.servers.map((server) => server.pid())).size).toBe(3);
    expect(kafka.servers.map((server) => server.pid())).not.toContain(null);
  },
  FIRST_DOWNLOAD_MS,
);

test("a frozen Kafka is alive and does not answer until it is thawed", async () => {
  const { server } = shared.kafka;
  const pid = server?.pid();

  server?.freeze();
  await expect(clusterIdAt(kafkaPortOf(shared))).rejects.toThrow();
  server?.thaw();

  await waitFor(() => clusterIdAt(kafkaPortOf(shared)));
  expect(server?.pid()).toBe(pid);
});

test(
  "Ctrl-C on the parent leaves no process and no folder",
  async () => {
    const TMPDIR = aFolder();
    const parent = await startParent({ TMPDIR });
    expect(readdirSync(TMPDIR)).toHaveLength(1);

    parent.child.kill("SIGINT");

    await waitFor(() => !parent.pids.some(isAlive));
    await waitFor(() => readdirSync(TMPDIR).length === 0);
  },
  FIRST_DOWNLOAD_MS,
);

test(
  "kill -9 of the parent leaves no process and no folder",
  async () => {
    const TMPDIR = aFolder();
    const parent = await startParent({ TMPDIR });

    parent.child.kill("SIGKILL");

    await waitFor(() => !parent.pids.some(isAlive));
    await waitFor(() => readdirSync(TMPDIR).length === 0);
  },
  FIRST_DOWNLOAD_MS,
);

async function startParent(
  env: Readonly<Record<string, string>>,
): Promise<{ child: ChildProcess; pids: number[] }> {
  const script = fileURLToPath(
    new URL("../fixtures/parent.ts", import.meta.url),
  );
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(
    createInterface({ input: child.stdout }),
    "line",
  )) as [string];
  return { child, ...(JSON.parse(line) as { pids: number[] }) };
}

test("the folder of a stack whose process is gone is removed at the next start", () => {
  expect(existsSync(leftover)).toBe(false);
});

test("a data folder keeps data and ports between stacks", async () => {
  const dataDir = aFolder();
  const first = await aStack({ dataDir });
  await query(
    first.clickhouse.url,
    "CREATE TABLE t ENGINE = MergeTree ORDER BY n AS SELECT 1 AS n",
  );
  const clusterId = await clusterIdAt(kafkaPortOf(first));
  await first.stop();

  const second = await aStack({ dataDir });

  expect(second.kafka.brokers).toEqual(first.kafka.brokers);
  expect(await clusterIdAt(kafkaPortOf(second))).toBe(clusterId);
  expect(await query(second.clickhouse.url, "SELECT n FROM t")).toBe("1");
});

test("another process's server on the port is not taken for ours", async () => {
  const dir = aFolder();
  const janitor = startJanitor(null);
  const env = process.env;

  const kafka = startKafka({
    files: await kafkaFiles(env, () => undefined),
    dir: join(dir, "kafka"),
    ports: [kafkaPortOf(shared)],
    controllerPorts: await freePorts(1),
    janitor,
    env,
  });
  const clickhouse = startClickHouse({
    library: engineLibrary(),
    dir: join(dir, "clickhouse"),
    port: Number(new URL(shared.clickhouse.url).port),
    janitor,
    env,
  });

  await expect(kafka).rejects.toThrow(/Kafka ended while it started/);
  await expect(clickhouse).rejects.toThrow(/ClickHouse ended while it started/);
  await janitor.finish();
});

test("ClickHouse keeps a log of its queries where that is asked for, and no other does", async () => {
  const janitor = startJanitor(null);
  const [port] = await freePorts(1);
  const own = await startClickHouse({
    library: engineLibrary(),
    dir: aFolder(),
    port: port!,
    janitor,
    env: process.env,
    configured: { clickhouseQueryLog: true },
  });
  const url = `http://127.0.0.1:${port}`;
  const logged =
    "SELECT read_rows FROM system.query_log WHERE type = 'QueryFinish' AND query LIKE '%numbers(321)%'";

  await query(url, "SELECT sum(number) FROM numbers(321)");
  await query(url, "SYSTEM FLUSH LOGS");

  expect(await query(url, logged)).toBe("321");
  await expect(query(shared.clickhouse.url, logged)).rejects.toThrow(
    /query_log/,
  );
  await own.stop();
  await janitor.finish();
});

test("a port that was asked for and is taken is named", async () => {
  const before = foldersOfOurs();

  const second = aStack({ ports: { kafka: kafkaPortOf(shared) } });

  await expect(second).rejects.toThrow(
    `Port ${kafkaPortOf(shared)}, asked for kafka, is taken`,
  );
  expect(foldersOfOurs()).toEqual(before);
});
