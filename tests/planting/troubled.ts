import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  serviceEnv,
  spawnService,
  type ServiceName,
  type ServiceProcess,
} from "@postrider/cli";
import { createPortPicker } from "@postrider/runtime";
import { waitFor } from "@postrider/testkit";
import { P, registryClient } from "./plants.ts";
import { DATABASE, PREFIX, type Env, type World } from "./world.ts";

/** Services whose Kafka, ClickHouse and registry refuse them, each with the log of its trouble. `troubled` gets those that run. */
export async function startTroubled(
  world: World,
  troubled: ServiceProcess[],
): Promise<void> {
  const { stack, receiver, folder } = world;
  const base = {
    ...world.environment(),
    KAFKA_BROKERS: stack.kafka.secure!.sasl,
    CLICKHOUSE_URL: stack.clickhouse.url,
    POSTRIDER_TOPIC_PREFIX: PREFIX,
    POSTRIDER_CLICKHOUSE_DATABASE: DATABASE,
    POSTRIDER_ADMIN_KEY: P.adminKey.text,
    NODE_OPTIONS: "",
  };
  const ports = createPortPicker();
  const start = async (
    name: ServiceName,
    [what, told]: readonly [what: string, told: RegExp],
    env: Env,
  ): Promise<void> => {
    const port = await ports.pick(0);
    world.gives(env);
    const logFile = join(folder, `troubled-${what}.log`);
    troubled.push(
      spawnService({
        name,
        logFile,
        env: serviceEnv({ ...base, ...env }, port, "0"),
      }),
    );
    await waitFor(
      async () => {
        const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
        const text = await ready.text();
        world.places.push([`readyz troubled-${what}`, text]);
        return told.test(text) || told.test(readFileSync(logFile, "utf8"));
      },
      { everyMs: 200, timeoutMs: 90_000, what: `trouble of ${what}` },
    );
  };
  await Promise.all([
    start("ingest", ["kafka", /SASL.*fail/], {
      KAFKA_SASL_PASSWORD_FILE: "",
      KAFKA_SASL_PASSWORD: P.wrongKafkaPassword.text,
    }),
    start("recorder", ["clickhouse", /Authentication failed/], {
      CLICKHOUSE_USER: "recorder",
      CLICKHOUSE_PASSWORD: P.wrongClickhousePassword.text,
    }),
    // The receiver answers with the request's headers, and is no registry.
    start("retry-scheduler", ["registry", /schemas\.failed/], {
      SCHEMA_REGISTRY_URL: receiver.url,
      SCHEMA_REGISTRY_USERNAME: "postrider",
      SCHEMA_REGISTRY_PASSWORD: P.registryPassword.text,
    }),
    start("retry-scheduler", ["registry-tls", /schemas\.failed/], {
      SCHEMA_REGISTRY_URL: world.notRegistry.url,
      SCHEMA_REGISTRY_TOKEN: P.registryToken.text,
      SCHEMA_REGISTRY_TLS_CA: world.notRegistry.ca,
      SCHEMA_REGISTRY_TLS_CERT: registryClient.cert,
      SCHEMA_REGISTRY_TLS_KEY: registryClient.key,
    }),
    // It answers with the request's headers, and no token.
    start("dispatcher", ["oauth", /no access_token/], {
      KAFKA_SASL_MECHANISM: "oauthbearer",
      KAFKA_SASL_USERNAME: "",
      KAFKA_SASL_PASSWORD_FILE: "",
      KAFKA_OAUTH_TOKEN_URL: `${receiver.url}/token`,
      KAFKA_OAUTH_CLIENT_ID: "postrider",
      KAFKA_OAUTH_CLIENT_SECRET: P.oauthSecret.text,
    }),
  ]);
}
