import { afterEach, describe, expect, test } from "@jest/globals";
import { registryAccess, type RegistryConfig } from "@postrider/runtime";
import {
  aSignal,
  makeCertificate,
  startGuardedProxy,
  testEffects,
  useRegistry,
  useStack,
  waitFor,
  type GuardedProxy,
} from "@postrider/testkit";
import { createKafka } from "../kafkajs/kafka.ts";
import type { RawRecord } from "../record.ts";
import {
  createRegistrySchemas,
  type RegistrySchemas,
} from "./registry-schemas.ts";
import { readSchemaFiles } from "./schema-files.ts";
import { createSchemas, type Schemas } from "./schemas.ts";

const stack = useStack();
const given = useRegistry();
const closing: (() => Promise<unknown>)[] = [];
const describeWithRegistry = given.isThere ? describe : describe.skip;

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

let prefixes = 0;

async function startSchemas(prefix: string): Promise<Schemas> {
  const effects = testEffects();
  const schemas = createSchemas({
    kafka: createKafka(
      { brokers: stack.brokers, clientId: "registry-test" },
      effects,
    ),
    prefix,
    registry: { schemaRegistryUrl: given.url },
    sessionTimeoutMs: stack.sessionTimeoutMs,
    ...effects,
  });
  closing.push(() => schemas.stop(Date.now() + 2000));
  await schemas.start();
  return schemas;
}

function registryAt(
  schemaRegistryUrl: string,
  effects = testEffects(),
): RegistrySchemas {
  const registry = registryAccess({ schemaRegistryUrl }, effects.log)!;
  return createRegistrySchemas({ registry, ...effects });
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
      await fetch(`${given.url}/subjects`)
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
    const id = await registryAt(given.url).register(
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
    const schemas = registryAt(given.url);
    const id = await schemas.register(
      subject,
      readSchemaFiles().get("Signal")!,
    );
    await fetch(`${given.url}/config/${subject}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ compatibility: "BACKWARD" }),
    });

    const again = registryAt(given.url);

    expect(
      await again.register(subject, readSchemaFiles().get("Signal")!),
    ).toBe(id);
  });
});

describeWithRegistry("with a registry that has TLS and users", () => {
  const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
  const client = makeCertificate({ hosts: ["client"] });
  const json = readSchemaFiles().get("Signal")!;

  async function guarded(clientCa?: string): Promise<GuardedProxy> {
    const options = { target: given.url, certificate };
    const proxy = await startGuardedProxy(
      clientCa === undefined ? options : { ...options, clientCa },
    );
    closing.push(() => proxy.close());
    return proxy;
  }

  function registryWith(
    proxy: GuardedProxy,
    config: Partial<RegistryConfig>,
  ): RegistrySchemas {
    const effects = testEffects();
    const registry = registryAccess(
      {
        schemaRegistryUrl: proxy.url,
        schemaRegistryTlsCa: () => certificate.cert,
        ...config,
      },
      effects.log,
    )!;
    return createRegistrySchemas({ registry, ...effects });
  }

  test("a user signs in with the password of the moment", async () => {
    const proxy = await guarded();
    proxy.admit(`Basic ${Buffer.from("alice:new").toString("base64")}`);
    let password = "old";
    const alice = {
      schemaRegistryUsername: "alice",
      schemaRegistryPassword: () => password,
    };
    const schemas = registryWith(proxy, alice);
    const subject = `${await newPrefix()}signals-value`;

    await expect(schemas.register(subject, json)).rejects.toThrow("401");
    password = "new";

    const id = await schemas.register(subject, json);
    const other = registryWith(proxy, alice);
    await waitFor(() => other.byId(id).kind === "found");
  });

  test("a token is sent as bearer, for look-ups, too", async () => {
    const proxy = await guarded();
    proxy.admit("Bearer t0ken");
    const token = { schemaRegistryToken: () => "t0ken" };
    const subject = `${await newPrefix()}signals-value`;
    const id = await registryWith(proxy, token).register(subject, json);

    const other = registryWith(proxy, token);

    await waitFor(() => other.byId(id).kind === "found");
  });

  test("a client's certificate is shown where the registry wants one, and the registry's own must be from the authority", async () => {
    const proxy = await guarded(client.cert);
    const subject = `${await newPrefix()}signals-value`;
    const mutual = {
      schemaRegistryTlsCert: () => client.cert,
      schemaRegistryTlsKey: () => client.key,
    };

    const id = await registryWith(proxy, mutual).register(subject, json);
    const other = registryWith(proxy, mutual);
    await waitFor(() => other.byId(id).kind === "found");
    const stranger = registryWith(proxy, {});
    await waitFor(() => {
      expect(stranger.byId(id)).toEqual({ kind: "unknown" });
      return stranger.problem();
    });
    await expect(
      registryWith(proxy, {}).register(subject, json),
    ).rejects.toThrow();
    await expect(
      registryWith(proxy, {
        ...mutual,
        schemaRegistryTlsCa: () => client.cert,
      }).register(subject, json),
    ).rejects.toThrow();
  });
});

describe("while the registry does not answer", () => {
  test("it is not asked for the same id again at once, and the record waits", async () => {
    const effects = testEffects();
    const schemas = registryAt("http://127.0.0.1:1", effects);

    schemas.byId(7);
    await waitFor(() => effects.log.of("registry.failed").length === 1);

    expect(schemas.byId(7)).toEqual({ kind: "unknown" });
    expect(effects.log.of("registry.failed")).toHaveLength(1);
    await expect(schemas.register("s", '"int"')).rejects.toThrow();
  });
});
