/**
 * The stack as containers. testcontainers' own reaper ends them when this process dies. `npm run test:deploy` runs this
 * against an engine of its own, with stand-ins for the images where they cannot be pulled.
 */
import { connect } from "node:net";
import { freePorts } from "@postrider/runtime";
import { IMAGES } from "./images.ts";
import { kafkaSettings } from "./kafka-settings.ts";
import { warmUpKafka } from "./kafka-warm-up.ts";
import { REGISTRY_API } from "./registry-server.ts";
import { StackError } from "./stack-error.ts";
import type { Stack, StackOptions } from "./stack.ts";

const DAEMON_ANSWERS_WITHIN_MS = 2000;
/** As long as the servers have as processes: a machine may be slow and busy. */
const STARTUP_MS = 120_000;

/** Whether a Docker daemon answers. A Docker client without a daemon is common, so its presence is not enough. */
export async function isDockerThere(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { DOCKER_HOST: host = "unix:///var/run/docker.sock" } = env;
  const url = URL.canParse(host) ? new URL(host) : null;
  if (url === null) return false;
  const target =
    url.protocol === "unix:"
      ? { path: url.pathname }
      : { host: url.hostname, port: Number(url.port || 2375) };
  return await new Promise((resolve) => {
    const socket = connect(target);
    const done = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(DAEMON_ANSWERS_WITHIN_MS, () => done(false));
    socket.once("error", () => done(false));
    socket.once("connect", () =>
      socket.write("GET /_ping HTTP/1.1\r\nhost: docker\r\n\r\n"),
    );
    socket.once("data", (answer) =>
      done(answer.toString("latin1").startsWith("HTTP/1.1 200")),
    );
  });
}

export async function startDockerStack(
  env: NodeJS.ProcessEnv,
  options: StackOptions,
): Promise<Stack> {
  if (!(await isDockerThere(env))) {
    throw new StackError(
      "DOCKER_MISSING",
      "POSTRIDER_STACK=docker needs a Docker daemon, and none answers: start it, or use POSTRIDER_STACK=local (Java 17 and Maven).",
    );
  }
  // Imported only here, because the import takes half a second and most runs do not need it.
  const { GenericContainer, Wait } = await import("testcontainers");
  options.onProgress?.(
    "Docker: starting containers; the first time they are pulled",
  );
  const [port = 0] = await freePorts(1);
  const started = await Promise.all([
    // The broker tells clients to connect to its advertised address, so it must listen on the port by which the host reaches it.
    new GenericContainer(IMAGES.kafka)
      .withExposedPorts({ container: port, host: port })
      .withEnvironment(kafkaEnvironment(port))
      .withWaitStrategy(Wait.forListeningPorts())
      .withStartupTimeout(STARTUP_MS)
      .start(),
    new GenericContainer(IMAGES.clickhouse)
      .withExposedPorts(8123)
      .withEnvironment({ CLICKHOUSE_SKIP_USER_SETUP: "1" })
      .withWaitStrategy(Wait.forHttp("/ping", 8123))
      .withStartupTimeout(STARTUP_MS)
      .start(),
    options.registry ? startRegistryContainer() : null,
  ]);
  const [, clickhouse, registry] = started;
  const stop = async (): Promise<void> => {
    await Promise.all(
      started.map(async (container) => await container?.stop()),
    );
  };
  if (!(await warmUpKafka(port, 60_000))) {
    await stop();
    throw new StackError(
      "NOT_READY",
      "Kafka's container runs, but a topic and a group cannot be used on it.",
    );
  }
  return {
    provider: "docker",
    kafka: { brokers: [`127.0.0.1:${port}`], server: null, servers: [] },
    clickhouse: {
      url: `http://${clickhouse.getHost()}:${clickhouse.getMappedPort(8123)}`,
      server: null,
    },
    schemaRegistry: registry,
    stop,
  };
}

/** A registry that keeps its schemas in memory. */
export async function startRegistryContainer(): Promise<{
  readonly url: string;
  readonly server: null;
  stop(): Promise<void>;
}> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const container = await new GenericContainer(IMAGES.registry)
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp(`${REGISTRY_API}/subjects`, 8080))
    .withStartupTimeout(STARTUP_MS)
    .start();
  return {
    url: `http://${container.getHost()}:${container.getMappedPort(8080)}${REGISTRY_API}`,
    server: null,
    stop: async () => void (await container.stop()),
  };
}

/** The broker's settings as environment variables: the image reads `log.dirs` from `KAFKA_LOG_DIRS`. */
function kafkaEnvironment(port: number): Record<string, string> {
  const settings = kafkaSettings({
    port,
    controllerPorts: [9093],
    nodeId: 1,
    dataDir: "/tmp/kraft-combined-logs",
    listenHost: "0.0.0.0",
  });
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `KAFKA_${name.replaceAll(".", "_").toUpperCase()}`,
      value,
    ]),
  );
}
