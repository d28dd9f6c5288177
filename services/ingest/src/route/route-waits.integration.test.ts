import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Delivery, Endpoint, Intake } from "@postrider/core";
import {
  type Admin,
  createSchemas,
  type Kafka,
  type Schemas,
  TopicMissingError,
} from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  anEndpoint,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose, type Ingest } from "../compose.ts";
import { readIngestConfig } from "../config.ts";

const stack = useStack();
const running: Lifecycle[] = [];
let kafka: Kafka;
let admin: Admin;
let schemas: Schemas;
let ingest: Ingest;

beforeEach(async () => {
  await stack.createAllTopics("retry.1s");
  kafka = stack.kafka();
  admin = kafka.admin();
  await admin.connect();
  const effects = testEffects();
  schemas = createSchemas({ kafka, prefix: stack.prefix, ...effects });
  ingest = compose(
    readIngestConfig({
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_ADMIN_KEY: "admin-key",
      POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      POSTRIDER_INGEST_ROLES: "route",
    }),
    effects,
  );
  for (const part of [schemas, composeLifecycle(ingest.parts, effects)]) {
    running.push(part);
    await part.start();
  }
});

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 5_000);
  await admin.disconnect();
});

async function produce(name: string, key: string, value: Buffer) {
  const producer = await kafka.createProducer();
  const topic = stack.prefix + name;
  await producer.sendBatch([
    { topic, partition: 0, key: Buffer.from(key), value },
  ]);
  await producer.disconnect();
}

/** Writes the endpoint as soon as its topic exists. */
async function producedOnceThere(
  name: "endpoints",
  key: string,
  value: Endpoint,
): Promise<void> {
  const producer = await kafka.createProducer();
  const record = {
    topic: stack.prefix + name,
    partition: 0,
    key: Buffer.from(key),
    value: schemas.encode({ topic: name, key, value }),
  };
  await waitFor(
    // A missing topic is found before anything is sent, so the producer may be used again.
    () =>
      producer.sendBatch([record]).then(
        () => true,
        (error: unknown) => {
          if (error instanceof TopicMissingError) return false;
          throw error;
        },
      ),
    { timeoutMs: 60_000, everyMs: 1, what: "endpoints" },
  );
  await producer.disconnect();
}

const publish = (id: string) =>
  produce(
    "events",
    id,
    Buffer.from(
      JSON.stringify({ id, type: "a", tenantId: "acme", payload: 1 }),
    ),
  );

async function valuesOf<T>(topic: "intake" | "deliveries"): Promise<T[]> {
  const records = await readTopics(kafka, [stack.prefix + topic]);
  return records.map((raw) => {
    const decoded = schemas.decoderOf(topic)(raw);
    if (decoded.kind !== "decoded") throw new Error(decoded.kind);
    return decoded.value as T;
  });
}

/** The detail of the named readiness check if it fails, else undefined. */
const unready = (name: string) =>
  ingest.health.ready().find((one) => one.name === name && !one.isOk)?.detail;

test("while the leaders of the endpoints topic are down route decides nothing; then the event goes to the endpoint that was created meanwhile", async () => {
  const [topic] = await admin.describeTopics([`${stack.prefix}endpoints`]);
  await admin.deleteTopics([topic!.topic]);
  const behind =
    /^nothing is started: \S+endpoints was last read to its end \d+ ms ago/;
  await waitFor(() => behind.test(unready("route.input") ?? ""));

  await publish("evt_1");
  const endpoint: Endpoint = anEndpoint({ id: "ep_new" });
  // Once the topic is there, the empty table counts as read to its end. So the endpoint must be in it as soon as it can be.
  const written = producedOnceThere("endpoints", endpoint.id, endpoint);
  await admin.createTopics([topic!]);
  await written;

  const intake = await waitFor(
    async () => (await valuesOf<Intake>("intake"))[0],
    { timeoutMs: 60_000, everyMs: 250, what: "intake" },
  );
  expect(intake).toMatchObject({ eventId: "evt_1", decision: "routed" });
  const deliveries = await valuesOf<Delivery>("deliveries");
  expect(deliveries.map(({ endpointId }) => endpointId)).toEqual(["ep_new"]);
  await waitFor(() => unready("route.input") === undefined);
});
