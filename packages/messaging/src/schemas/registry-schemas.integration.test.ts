import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  test,
} from "@jest/globals";
import { startStack, type Stack } from "@postrider/local-stack";
import { aSignal, testEffects, useStack, waitFor } from "@postrider/testkit";
import { createKafka } from "../kafkajs/kafka.ts";
import type { RawRecord } from "../record.ts";
import { createRegistrySchemas } from "./registry-schemas.ts";
import { readSchemaFiles } from "./schema-files.ts";
import { createSchemas, type Schemas } from "./schemas.ts";

const stack = useStack();
const closing: (() => Promise<unknown>)[] = [];
let withRegistry: Stack | undefined;
let url: string;

/** A stack given from outside may have no registry; these tests are then skipped. */
const isGiven = process.env["POSTRIDER_STACK"] === "external";
const given = process.env["SCHEMA_REGISTRY_URL"];
const describeWithRegistry = isGiven && !given ? describe.skip : describe;

beforeAll(async () => {
  if (isGiven && !given) return;
  const { KAFKA_BROKERS, CLICKHOUSE_URL, ...own } = process.env;
  const env = isGiven ? { ...own, KAFKA_BROKERS, CLICKHOUSE_URL } : own;
  withRegistry = await startStack({ registry: true, env });
  url = withRegistry.schemaRegistry!.url;
}, 300_000);

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

afterAll(async () => await withRegistry?.stop());

let prefixes = 0;

async function startSchemas(prefix: string): Promise<Schemas> {
  const effects = testEffects();
  const schemas = createSchemas({
    kafka: createKafka(
      { brokers: stack.brokers, clientId: "registry-test" },
      effects,
    ),
    prefix,
    schemaRegistryUrl: url,
    sessionTimeoutMs: stack.sessionTimeoutMs,
    ...effects,
  });
  closing.push(() => schemas.stop(Date.now() + 2000));
  await schemas.start();
  return schemas;
}

async function newPrefix(): Promise<string> {
  const name = `${prefixes++}.`;
  await stack.createTopics(`${name}schemas`);
  return stack.prefix + name;
}

const rawOf = (value: Buffer): RawRecord => {
  const place = { topic: "t", partition: 0, offset: 0, timestamp: 0 };
  return { ...place, key: null, value, headers: {} };
};

describeWithRegistry("with a schema registry", () => {
  test("values carry the id of our schema under the topic's subject, and either framing is read", async () => {
    const prefix = await newPrefix();
    const one = await startSchemas(prefix);
    const two = await startSchemas(prefix);
    const value = aSignal();

    const encoded = one.encode({ topic: "signals", key: null, value });

    expect(encoded[0]).toBe(0);
    const decoded = await waitFor(() => {
      const now = two.decoderOf("signals")(rawOf(encoded));
      return now.kind === "decoded" && now;
    });
    expect({ ...decoded.value }).toEqual(value);
    const subjects = (await (
      await fetch(`${url}/subjects`)
    ).json()) as string[];
    expect(subjects).toContain(`${prefix}signals-value`);
    expect(two.encode({ topic: "signals", key: null, value })).toEqual(encoded);
  });

  test("a newer writer's schema is looked up, and the record waits meanwhile", async () => {
    const prefix = await newPrefix();
    const schemas = await startSchemas(prefix);
    const newer = JSON.parse(readSchemaFiles().get("Signal")!) as {
      fields: unknown[];
    };
    newer.fields.push({ name: "severity", type: "int", default: 0 });
    const id = await createRegistrySchemas({ url, ...testEffects() }).register(
      `${prefix}signals-value`,
      JSON.stringify(newer),
    );
    const value = schemas.encode({
      topic: "signals",
      key: null,
      value: aSignal(),
    });
    value.writeInt32BE(id, 1);
    const written = Buffer.concat([value, Buffer.of(6)]);
    const decode = schemas.decoderOf("signals");

    expect(decode(rawOf(written)).kind).toBe("unknown_schema");
    const decoded = await waitFor(() => {
      const now = decode(rawOf(written));
      return now.kind === "decoded" && now;
    });

    expect({ ...decoded.value }).toEqual(aSignal());
  });

  test("an id that the registry does not have is a dead letter unknown_schema", async () => {
    const schemas = await startSchemas(await newPrefix());
    const decode = schemas.decoderOf("events");
    const unknown = rawOf(Buffer.from("007fffff0002", "hex"));

    expect(decode(unknown).kind).toBe("unknown_schema");

    const decoded = await waitFor(() => {
      const now = decode(unknown);
      return now.kind === "unreadable" && now;
    });
    expect(decoded.reason).toBe("unknown_schema");
  });

  test("a subject with a compatibility rule of its own is taken as it is", async () => {
    const subject = `${await newPrefix()}signals-value`;
    const schemas = createRegistrySchemas({ url, ...testEffects() });
    const id = await schemas.register(
      subject,
      readSchemaFiles().get("Signal")!,
    );
    await fetch(`${url}/config/${subject}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ compatibility: "BACKWARD" }),
    });

    const again = createRegistrySchemas({ url, ...testEffects() });

    expect(
      await again.register(subject, readSchemaFiles().get("Signal")!),
    ).toBe(id);
  });
});

describe("while the registry does not answer", () => {
  test("it is not asked for the same id again at once, and the record waits", async () => {
    const effects = testEffects();
    const schemas = createRegistrySchemas({
      url: "http://127.0.0.1:1",
      ...effects,
    });

    schemas.byId(7);
    await waitFor(() => effects.log.of("registry.failed").length === 1);

    expect(schemas.byId(7)).toEqual({ kind: "unknown" });
    expect(effects.log.of("registry.failed")).toHaveLength(1);
    await expect(schemas.register("s", '"int"')).rejects.toThrow();
  });
});
