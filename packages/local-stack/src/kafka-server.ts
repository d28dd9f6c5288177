import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { JAVA_LEAVES_NOTHING, type Java } from "./java.ts";
import { kafkaSettings } from "./kafka-settings.ts";
import { addScramUsers, type SecureSettings } from "./kafka-secure.ts";
import { clusterIdAt } from "./kafka-roles.ts";
import { warmUpKafka } from "./kafka-warm-up.ts";
import type { Janitor } from "./janitor.ts";
import { allOrNone, startServer, type ServerHandle } from "./server-process.ts";
import { StackError } from "./stack-error.ts";

/** The files that a broker is started from. */
export interface KafkaFiles {
  readonly java: Java;
  /** The folder with Kafka's jars. */
  readonly libs: string;
  /** The archive of loaded classes for this version and this Java. It halves the starting time, and may be missing. */
  readonly archive: string;
}

export interface KafkaOptions {
  readonly files: KafkaFiles;
  /** The folder of data, settings and logs. Data that are kept keep their cluster id. */
  readonly dir: string;
  /** The port of each node, in the order of the node ids, which start at 1. */
  readonly ports: readonly number[];
  readonly controllerPorts: readonly number[];
  readonly janitor: Janitor;
  readonly env: NodeJS.ProcessEnv;
  /** In a training run: the path to which the archive of loaded classes is written at the end. */
  readonly archiveAtExit?: string;
  readonly secure?: SecureSettings | undefined;
}

/** Starts a cluster of KRaft nodes, each of them broker and controller. Resolves when the cluster id is ours, and a topic, a group and a transaction have been used once. */
export async function startKafka(
  options: KafkaOptions,
): Promise<ServerHandle[]> {
  const { ports, dir } = options;
  const nodes = ports.map((_, i) => ({ ...options, nodeId: i + 1 }));
  const clusterId = clusterIdOf(options);
  const starting = nodes.map(async (node) => [
    await startNode(node, clusterId),
  ]);
  const servers = (await allOrNone(starting)).flat();
  if (await warmUpKafka(ports[0] ?? 0, 60_000)) return servers;
  await Promise.all(servers.map((server) => server.kill9()));
  throw new StackError(
    "NOT_READY",
    `Kafka on port ${ports.join()} answers, but a topic and a group cannot be used on it; its log is below ${dir}.`,
  );
}

interface NodeOptions extends KafkaOptions {
  readonly nodeId: number;
}

async function startNode(
  options: NodeOptions,
  clusterId: string,
): Promise<ServerHandle> {
  const { files, nodeId, ports } = options;
  const dir = nodeDir(options);
  prepare(options, clusterId);
  if (options.secure)
    await addScramUsers(options.secure, {
      command: files.java.command,
      classPath: classPath(files.libs),
      settings: join(dir, "server.properties"),
      clusterId,
    });
  return await startServer({
    name: ports.length === 1 ? "Kafka" : `Kafka's node ${nodeId}`,
    command: files.java.command,
    args: [
      ...(ports.length === 1 ? ["-Xms256m", "-Xmx384m"] : CLUSTER_HEAP),
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-Xshare:auto",
      ...JAVA_LEAVES_NOTHING,
      ...archiveArgs(options),
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      "-cp",
      classPath(files.libs),
      "kafka.Kafka",
      join(dir, "server.properties"),
    ],
    env: options.env,
    logFile: join(dir, "kafka.log"),
    hasIpc: false,
    isReady: async () =>
      (await clusterIdAt(ports[nodeId - 1] ?? 0)) === clusterId,
    readyTimeoutMs: 120_000,
    graceMs: 15_000,
    janitor: options.janitor,
  });
}

const CLUSTER_HEAP = ["-Xms128m", "-Xmx256m"];

function archiveArgs({ archiveAtExit, files }: KafkaOptions): string[] {
  if (archiveAtExit !== undefined)
    return [`-XX:ArchiveClassesAtExit=${archiveAtExit}`];
  return existsSync(files.archive)
    ? [`-XX:SharedArchiveFile=${files.archive}`]
    : [];
}

/** Always in the same order, because an archive of classes fits only the class path that it was made with. */
export function classPath(libs: string): string {
  return readdirSync(libs)
    .filter((name) => name.endsWith(".jar"))
    .sort()
    .map((name) => join(libs, name))
    .join(":");
}

/** The first node uses the cluster's own folder, so that the data of a single broker stay where they were. */
function nodeDir({ dir, nodeId }: { dir: string; nodeId: number }): string {
  return nodeId === 1 ? dir : join(dir, `node-${nodeId}`);
}

function metaFileOf(dir: string): string {
  return join(dir, "data", "meta.properties");
}

/** The cluster id of kept data, or a new one. */
function clusterIdOf({ dir }: KafkaOptions): string {
  const metaFile = metaFileOf(dir);
  if (!existsSync(metaFile)) return randomBytes(16).toString("base64url");
  const clusterId = /^cluster\.id=(.+)$/m.exec(
    readFileSync(metaFile, "utf8"),
  )?.[1];
  if (clusterId === undefined)
    throw new StackError(
      "CONFIG",
      `${metaFile} names no cluster.id: remove ${dir} to start afresh.`,
    );
  return clusterId.trim();
}

/** Writes the settings, and the node's identity if there is none yet. */
function prepare(options: NodeOptions, clusterId: string): void {
  const { ports, controllerPorts, nodeId } = options;
  const dir = nodeDir(options);
  const dataDir = join(dir, "data");
  mkdirSync(dataDir, { recursive: true });
  // With users the folder is formatted by Kafka's own tool.
  if (!existsSync(metaFileOf(dir)) && !options.secure)
    writeFileSync(
      metaFileOf(dir),
      `version=1\nnode.id=${nodeId}\ncluster.id=${clusterId}\n`,
    );
  const settings = kafkaSettings({
    port: ports[nodeId - 1] ?? 0,
    controllerPorts,
    nodeId,
    dataDir,
    secure: options.secure,
  });
  writeFileSync(
    join(dir, "server.properties"),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
}
