import { join } from "node:path";
import { freePorts } from "@postrider/runtime";
import { cached, cacheRoot } from "./cache.ts";
import { KAFKA_VERSION } from "./images.ts";
import { startJanitor } from "./janitor.ts";
import { findJava } from "./java.ts";
import { startKafka, type KafkaFiles } from "./kafka-server.ts";
import { fetchArtifacts, type Progress } from "./maven.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const ARTIFACTS = [
  {
    groupId: "org.apache.kafka",
    artifactId: "kafka_2.13",
    version: KAFKA_VERSION,
  },
  { groupId: "org.slf4j", artifactId: "slf4j-simple", version: "1.7.36" },
];

/** Kafka's jars and archive of loaded classes, from the cache; the first call downloads and makes them. */
export async function kafkaFiles(
  env: NodeJS.ProcessEnv,
  onProgress: Progress,
): Promise<KafkaFiles> {
  const java = await findJava(env);
  const name = `kafka-${KAFKA_VERSION}`;
  const libs = await cached(
    join(cacheRoot(env), name),
    async (folder) => {
      await fetchArtifacts(
        `Kafka ${KAFKA_VERSION}`,
        ARTIFACTS,
        folder,
        env,
        onProgress,
      );
    },
    onProgress,
  );
  const archive = join(cacheRoot(env), `${name}-java-${java.build}.jsa`);
  await cached(
    archive,
    async (temporary) => {
      onProgress(`Kafka ${KAFKA_VERSION}: preparing a faster start (once)`);
      await train({ java, libs, archive }, temporary, env);
    },
    onProgress,
  );
  return { java, libs, archive };
}

/** Runs a broker once. At its end Java writes the classes that it had loaded to `archive`. */
async function train(
  files: KafkaFiles,
  archive: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const dir = temporaryFolder();
  const janitor = startJanitor(dir);
  const [port = 0, controllerPort = 0] = await freePorts(2);
  try {
    const [broker] = await startKafka({
      files,
      dir,
      ports: [port],
      controllerPorts: [controllerPort],
      janitor,
      env,
      archiveAtExit: archive,
    });
    await broker?.stop();
  } finally {
    await janitor.finish();
  }
}
