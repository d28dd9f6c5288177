/** What control answers of the system while Kafka is away: nobody listens at the address of its broker. */
import { expect, test } from "@jest/globals";
import { KnownKeys } from "@postrider/http";
import { createKafka } from "@postrider/messaging";
import { freePorts } from "@postrider/runtime";
import { testEffects } from "@postrider/testkit";
import { readControlConfig } from "./config.ts";
import { createServer } from "./http/server.ts";
import { composeSystem } from "./system.ts";

const KEY = "an-admin-key-of-the-test";

test("without Kafka the question ends soon and says so, and the configuration is told all the same", async () => {
  const [port] = await freePorts(1);
  const config = readControlConfig({
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    CLICKHOUSE_URL: "http://127.0.0.1:1",
    POSTRIDER_ADMIN_KEY: KEY,
    POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
  });
  const effects = testEffects();
  const kafka = createKafka(
    { brokers: config.kafkaBrokers, clientId: "test" },
    effects,
  );
  const { part, routes } = composeSystem({ ...effects, config, kafka });
  const { app } = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [routes],
  });
  const ask = async (url: string) =>
    await app.inject({
      method: "GET",
      url,
      headers: { authorization: `Bearer ${KEY}` },
    });

  const [system, settings] = await Promise.all([
    ask("/v1/system"),
    ask("/v1/config"),
  ]);
  await part.stop(Date.now() + 1_000);

  expect(system.statusCode).toBe(503);
  expect(system.json()).toMatchObject({
    title: "Kafka does not answer",
    detail: expect.stringContaining("/readyz"),
  });
  expect(settings.statusCode).toBe(200);
}, 60_000);
