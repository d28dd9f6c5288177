/** Kafka's own commands, such as `kafka-acls.sh`. They are in no jar that a broker needs. */
import { join } from "node:path";
import { cached, cacheRoot } from "./cache.ts";
import { KAFKA_VERSION } from "./images.ts";
import { JAVA_LEAVES_NOTHING } from "./java.ts";
import { kafkaFiles } from "./kafka-files.ts";
import { classPath } from "./kafka-server.ts";
import { fetchArtifacts, type Progress } from "./maven.ts";

/** The command line to which a tool's class and arguments are appended, such as `org.apache.kafka.tools.AclCommand`. The first call downloads them. */
export async function kafkaTools(
  env: NodeJS.ProcessEnv = process.env,
  onProgress: Progress = () => undefined,
): Promise<readonly string[]> {
  const { java, libs } = await kafkaFiles(env, onProgress);
  const artifact = {
    groupId: "org.apache.kafka",
    artifactId: "kafka-tools",
    version: KAFKA_VERSION,
    // Alone: what our commands need of its dependencies, the broker has.
    type: "jar",
  };
  const tools = await cached(
    join(cacheRoot(env), `kafka-tools-${KAFKA_VERSION}`),
    async (folder) => {
      const what = `Kafka's tools ${KAFKA_VERSION}`;
      await fetchArtifacts(what, [artifact], folder, env, onProgress);
    },
    onProgress,
  );
  return [
    java.command,
    "-Xmx64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    ...JAVA_LEAVES_NOTHING,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    `${classPath(libs)}:${classPath(tools)}`,
  ];
}
