/** A rolling upgrade's records: deliveries in a later version of their schema, read by the dispatcher of today, on a real Kafka, with and without a real registry. */
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  test,
} from "@jest/globals";
import { secretAad, type Delivery } from "@postrider/core";
import {
  createAvroCodec,
  createSchemas,
  readSchemaFiles,
  type Kafka,
  type RecordName,
  type Schemas,
} from "@postrider/messaging";
import {
  composeLifecycle,
  createKeyRing,
  type Composition,
  type Lifecycle,
} from "@postrider/runtime";
import {
  aDelivery,
  anEndpoint,
  createAllTopics,
  nextSchema,
  readTopics,
  startHttpFaultProxy,
  startReceiver,
  testEffects,
  useRegistry,
  useStack,
  waitFor,
  type HttpFaultProxy,
  type Receiver,
} from "@postrider/testkit";
import { compose } from "./compose.ts";
import { readDispatcherConfig } from "./config.ts";

const stack = useStack();
const given = useRegistry();
const KEY = Buffer.alloc(32, 9);
const TIERS = "50ms,100ms,1s";
const ENDPOINT = "ep_versions";

let receiver: Receiver;
let proxy: HttpFaultProxy | null = null;
beforeAll(async () => {
  receiver = await startReceiver({});
  if (given.isThere) proxy = await startHttpFaultProxy(given.url);
});
afterAll(async () => {
  await receiver.close();
  await proxy?.close();
});

/** Our schemas as a later version of Postrider may have them. */
function later(name: string): ReadonlyMap<RecordName, string> {
  return new Map(
    Array.from(readSchemaFiles(), ([record, json]) => [
      record,
      nextSchema(json, name),
    ]),
  );
}

/** A dispatcher of today under a prefix of its own, and what other versions do beside it. */
class Upgrade {
  readonly kafka: Kafka = stack.kafka();
  readonly prefix: string;
  readonly #registryUrl: string | null;
  readonly #running: Lifecycle[] = [];
  #composition: Composition | null = null;
  #ids = 0;

  /** With a registry the dispatcher reaches it through the proxy, and the others directly. */
  constructor(name: string, registryUrl: string | null) {
    this.prefix = `${stack.prefix}${name}.`;
    this.#registryUrl = registryUrl;
  }

  async start(over: Readonly<Record<string, string>> = {}): Promise<void> {
    const tiers = TIERS.split(",").map((tier) => `retry.${tier}`);
    await createAllTopics(this.kafka, this.prefix, tiers);
    const today = await this.schemas(readSchemaFiles());
    await this.#putEndpoint(today);
    const config = readDispatcherConfig({
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: this.prefix,
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_ENCRYPTION_KEYS: `k1:${KEY.toString("base64")}`,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      ...(this.#registryUrl !== null && { SCHEMA_REGISTRY_URL: proxy!.url }),
      ...over,
    });
    this.#composition = compose(config, testEffects());
    const { parts } = this.#composition;
    await this.#begin(composeLifecycle(parts, testEffects()));
  }

  async stop(): Promise<void> {
    for (const part of this.#running.toReversed())
      await part.stop(Date.now() + 10_000);
  }

  /** A process with these schemas: they are on `schemas` and, if there is one, in the registry. */
  async schemas(own: ReadonlyMap<RecordName, string>): Promise<Schemas> {
    const schemas = createSchemas({
      kafka: this.kafka,
      prefix: this.prefix,
      ownSchemas: own,
      registry: { schemaRegistryUrl: this.#registryUrl },
      sessionTimeoutMs: stack.sessionTimeoutMs,
      ...testEffects(),
    });
    await this.#begin(schemas);
    return schemas;
  }

  /** A delivery to our receiver, and the id by which it knows it. */
  aDelivery(): Delivery {
    const id = ++this.#ids;
    return aDelivery({
      deliveryId: `dlv_${id}`,
      webhookId: `${this.prefix}msg_${id}`,
      endpointId: ENDPOINT,
      receivedAt: Date.now(),
    });
  }

  async send(value: Buffer): Promise<void> {
    await this.#write("deliveries", ENDPOINT, value);
  }

  async delivered(...deliveries: readonly Delivery[]): Promise<void> {
    await waitFor(
      () => {
        const ids = receiver.requests.map(
          ({ headers }) => headers["webhook-id"],
        );
        return deliveries.every(({ webhookId }) => ids.includes(webhookId));
      },
      { what: deliveries.map(({ webhookId }) => webhookId).join(", ") },
    );
  }

  check(name: string): string | undefined {
    const checks = this.#composition!.health.ready();
    return checks.find((check) => check.name === name)?.detail;
  }

  async #putEndpoint(schemas: Schemas): Promise<void> {
    const secret = Buffer.from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    const aad = secretAad("acme", ENDPOINT, "sec_1");
    const sealed = createKeyRing([{ kid: "k1", key: KEY }]).seal(secret, aad);
    const value = anEndpoint({
      id: ENDPOINT,
      url: receiver.url,
      secrets: [{ id: "sec_1", ...sealed, createdAt: 0, expiresAt: null }],
    });
    const record = { topic: "endpoints", key: ENDPOINT, value } as const;
    await this.#write("endpoints", ENDPOINT, schemas.encode(record));
  }

  async #write(topic: string, key: string, value: Buffer): Promise<void> {
    const producer = await this.kafka.createProducer();
    await producer.sendBatch([
      {
        topic: this.prefix + topic,
        partition: 0,
        key: Buffer.from(key),
        value,
      },
    ]);
    await producer.disconnect();
  }

  async #begin(part: Lifecycle): Promise<void> {
    this.#running.push(part);
    await part.start();
  }
}

const toDeliveries = (value: Delivery) =>
  ({ topic: "deliveries", key: ENDPOINT, value }) as const;

/** Encodes as a process of the later version, of whose schema nobody else knows. `id`: the registry's. */
function encodedUnseen(name: string, value: Delivery, id: number | null) {
  return createAvroCodec({
    schemas: later(name),
    registryIdOf: () => id,
    writers: {
      byFingerprint: () => ({ kind: "unknown" }),
      byId: () => ({ kind: "unknown" }),
    },
  }).encode(toDeliveries(value));
}

const cases = [
  ["without a registry", false],
  ["with a registry", true],
] as const;

let upgrade: Upgrade | null = null;
afterEach(async () => {
  await upgrade?.stop();
  upgrade = null;
  await proxy?.appear();
});

describe.each(cases)("%s", (name, hasRegistry) => {
  const testIf = given.isThere || !hasRegistry ? test : test.skip;
  const prefix = name.replaceAll(" ", "-");

  testIf(
    "deliveries of the next version are delivered, also when their schema comes after them, and the next version reads what today's dispatcher writes",
    async () => {
      const under = (upgrade = new Upgrade(
        prefix,
        hasRegistry ? given.url : null,
      ));
      await under.start();
      const today = await under.schemas(readSchemaFiles());
      const [first, late, sibling] = [1, 2, 3].map(() => under.aDelivery());

      const next = await under.schemas(later("next"));
      await under.send(next.encode(toDeliveries(first!)));
      await under.delivered(first!);

      const publishLate = hasRegistry
        ? await hiddenInRegistry(under, "afterwards")
        : { id: null, publish: () => under.schemas(later("afterwards")) };
      await under.send(encodedUnseen("afterwards", late!, publishLate.id));
      await under.send(today.encode(toDeliveries(sibling!)));
      await under.delivered(sibling!);
      await waitFor(() => under.check("deliver.schemas"));
      expect(under.check("deliver.schemas")).toMatch(
        /^degraded: 1 record waiting for schemas: /,
      );
      await publishLate.publish();
      await under.delivered(late!);

      await waitFor(() => under.check("deliver.schemas") === "");
      const read = async (topic: string) =>
        await readTopics(under.kafka, [under.prefix + topic]);
      expect(await read("dead-letters")).toEqual([]);
      const attempts = await waitFor(async () => {
        const records = await read("attempts");
        return records.length === 3 && records;
      });
      const decode = next.decoderOf("attempts");
      const ids = await waitFor(() => {
        const decoded = attempts.map((raw) => decode(raw));
        return (
          decoded.every((one) => one.kind === "decoded") &&
          decoded.map(({ value }) => value.deliveryId)
        );
      });
      expect(ids.toSorted()).toEqual(
        [first, late, sibling].map((one) => one!.deliveryId).toSorted(),
      );
    },
    60_000,
  );

  testIf(
    "a delivery whose schema never comes is a dead letter when the limit is over, with what is needed to send it again",
    async () => {
      const under = (upgrade = new Upgrade(
        `${prefix}-never`,
        hasRegistry ? given.url : null,
      ));
      await under.start({ POSTRIDER_UNKNOWN_SCHEMA_WAIT: "300ms" });
      const lost = under.aDelivery();
      const { id } = hasRegistry
        ? await hiddenInRegistry(under, "never")
        : { id: null };
      const value = encodedUnseen("never", lost, id);
      await under.send(value);

      const [letter] = await waitFor(async () => {
        const topic = `${under.prefix}dead-letters`;
        const records = await readTopics(under.kafka, [topic]);
        return records.length > 0 && records;
      });

      await proxy?.appear();
      const today = await under.schemas(readSchemaFiles());
      const decoded = await waitFor(() => {
        const now = today.decoderOf("dead-letters")(letter!);
        return now.kind === "decoded" && now.value;
      });
      expect(decoded).toMatchObject({
        reason: "unknown_schema",
        stage: "deliver",
      });
      expect(Buffer.from(decoded.rawValue!).equals(value)).toBe(true);
    },
    60_000,
  );
});

/** The later version is in the registry, but the dispatcher cannot ask. */
async function hiddenInRegistry(
  under: Upgrade,
  name: string,
): Promise<{ readonly id: number; publish(): Promise<void> }> {
  await proxy!.vanish();
  const schemas = await under.schemas(later(name));
  const encoded = schemas.encode(toDeliveries(aDelivery()));
  return { id: encoded.readInt32BE(1), publish: () => proxy!.appear() };
}
