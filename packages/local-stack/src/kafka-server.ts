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
import { clusterIdAt, warmUpKafka } from "./kafka-warm-up.ts";
import type { Janitor } from "./janitor.ts";
import { startServer, type ServerHandle } from "./server-process.ts";
import { StackError } from "./stack-error.ts";

/** What a broker is run from. */
export interface KafkaFiles {
  readonly java: Java;
  /** The folder of its jars. */
  readonly libs: string;
  /** The archive of loaded classes for this version and Java, which halves the start; may not exist. */
  readonly archive: string;
}

export interface KafkaOptions {
  readonly files: KafkaFiles;
  /** Data, settings and log of this broker. Kept data keep their cluster id. */
  readonly dir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly janitor: Janitor;
  readonly env: NodeJS.ProcessEnv;
  /** Write the archive of loaded classes here at the end (a training run). */
  readonly archiveAtExit?: string;
}

/** One broker, KRaft, one node. Resolves when a topic, a group and a transaction have been used on it and its cluster id is ours. */
export async function startKafka(options: KafkaOptions): Promise<ServerHandle> {
  const { dir, port, files } = options;
  const clusterId = prepare(options);
  const server = await startServer({
    name: "Kafka",
    command: files.java.command,
    args: [
      "-Xms256m",
      "-Xmx384m",
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
    isReady: async () => (await clusterIdAt(port)) === clusterId,
    readyTimeoutMs: 60_000,
    graceMs: 15_000,
    janitor: options.janitor,
  });
  if (!(await warmUpKafka(port, 30_000))) {
    await server.kill9();
    throw new StackError(
      "NOT_READY",
      `Kafka on port ${port} answers, but a topic and a group cannot be used on it; its log is ${server.logFile}.`,
    );
  }
  return server;
}

function archiveArgs({ archiveAtExit, files }: KafkaOptions): string[] {
  if (archiveAtExit !== undefined)
    return [`-XX:ArchiveClassesAtExit=${archiveAtExit}`];
  return existsSync(files.archive)
    ? [`-XX:SharedArchiveFile=${files.archive}`]
    : [];
}

/** In a fixed order: the archive of classes fits only the class path it was made with. */
function classPath(libs: string): string {
  return readdirSync(libs)
    .filter((name) => name.endsWith(".jar"))
    .sort()
    .map((name) => join(libs, name))
    .join(":");
}

/** Writes the settings, and the identity where there is none yet; returns the cluster id. */
function prepare({ dir, port, controllerPort }: KafkaOptions): string {
  const dataDir = join(dir, "data");
  mkdirSync(dataDir, { recursive: true });
  const metaFile = join(dataDir, "meta.properties");
  if (!existsSync(metaFile)) {
    const id = randomBytes(16).toString("base64url");
    writeFileSync(metaFile, `version=1\nnode.id=1\ncluster.id=${id}\n`);
  }
  const clusterId = /^cluster\.id=(.+)$/m.exec(
    readFileSync(metaFile, "utf8"),
  )?.[1];
  if (clusterId === undefined)
    throw new StackError(
      "CONFIG",
      `${metaFile} names no cluster.id: remove ${dir} to start afresh.`,
    );
  const settings = kafkaSettings({ port, controllerPort, dataDir });
  writeFileSync(
    join(dir, "server.properties"),
    Object.entries(settings)
      .map(
        ([name, value]) => `${name}=${value}
`,
      )
      .join(""),
  );
  return clusterId.trim();
}
