/** The schemas of a process while the registry is down, at its start and later: a real Kafka, and a proxy before a real registry. */
import { describe, expect, test } from "@jest/globals";
import {
  aRawRecord,
  aSignal,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { useFaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { readSchemaFiles } from "./schema-files.ts";
import { createSchemas, type Schemas } from "./schemas.ts";

const stack = useStack();
const given = useFaultyRegistry();
const { aProxy, registered } = given;
const describeWithRegistry = given.isThere ? describe : describe.skip;

const SIGNAL = readSchemaFiles().get("Signal")!;

describeWithRegistry("the schemas of a process", () => {
  let prefixes = 0;

  async function newPrefix(): Promise<string> {
    const name = `p${prefixes++}.`;
    await stack.createTopics(`${name}schemas`);
    return stack.prefix + name;
  }

  function schemasBehind(prefix: string, schemaRegistryUrl: string): Schemas {
    const schemas = createSchemas({
      kafka: stack.kafka(),
      prefix,
      registry: { schemaRegistryUrl },
      sessionTimeoutMs: stack.sessionTimeoutMs,
      ...testEffects(),
    });
    given.onEnd(() => schemas.stop(Date.now() + 2_000));
    return schemas;
  }

  const checkOf = (schemas: Schemas) =>
    schemas.health().ready.find(({ name }) => name === "schema-registry");

  const signal = aSignal();
  const record = { topic: "signals", key: null, value: signal } as const;

  test("wait for a registry that is down at the start, tell it, live on, and begin when it is there", async () => {
    const proxy = await aProxy(true);
    const schemas = schemasBehind(await newPrefix(), proxy.url);
    let hasStarted = false;
    const starting = schemas.start().then(() => (hasStarted = true));

    await waitFor(() => checkOf(schemas)?.detail.includes("ECONNREFUSED"));

    expect(checkOf(schemas)).toMatchObject({
      isOk: false,
      detail: expect.stringMatching(/events-value is not registered yet/),
    });
    expect(schemas.health().live.every(({ isOk }) => isOk)).toBe(true);
    expect(hasStarted).toBe(false);

    await proxy.appear();
    await starting;
    expect(checkOf(schemas)).toMatchObject({ isOk: true, detail: "" });
    expect(schemas.encode(record)[0]).toBe(0);
  });

  test("go on with what they know when the registry goes down: the records of all that started before are written and read without it", async () => {
    const proxy = await aProxy();
    const prefix = await newPrefix();
    const [one, two] = [1, 2].map(() => schemasBehind(prefix, proxy.url));
    await one!.start();
    await two!.start();
    await proxy.vanish();

    const value = one!.encode(record);
    const decoded = two!.decoderOf("signals")(aRawRecord({ value }));

    expect(decoded).toMatchObject({ kind: "decoded", value: signal });
    expect(checkOf(two!)).toMatchObject({ isOk: true, detail: "" });
    const lookUps = proxy.requests.filter(({ path }) => path.includes("/ids/"));
    expect(lookUps).toEqual([]);
  });

  test("tell of a record whose schema does not fit what it is, at once; others are read", async () => {
    const schemas = schemasBehind(await newPrefix(), given.url());
    await schemas.start();
    const other = await registered(
      '{"type":"record","name":"Parcel","fields":[{"name":"kind","type":"double"}]}',
    );
    const good = schemas.encode(record);
    const wrong = Buffer.from(good);
    wrong.writeInt32BE(other, 1);
    const decode = schemas.decoderOf("signals");

    const decoded = await waitFor(() => {
      const now = decode(aRawRecord({ value: wrong }));
      return now.kind !== "unknown_schema" && now;
    });

    expect(decoded).toMatchObject({
      kind: "unreadable",
      reason: "unreadable",
      detail: expect.stringMatching(/cannot be read as dev\.postrider\.Signal/),
    });
    expect(decode(aRawRecord({ value: good })).kind).toBe("decoded");
  });

  test("tell that the registry is degraded while it cannot be asked, and are ready", async () => {
    const proxy = await aProxy();
    const schemas = schemasBehind(await newPrefix(), proxy.url);
    await schemas.start();
    await proxy.vanish();
    const id = await registered(SIGNAL);
    const value = Buffer.alloc(6);
    value.writeInt32BE(id + 100_000, 1);

    await waitFor(() => {
      schemas.decoderOf("signals")(aRawRecord({ value }));
      return checkOf(schemas)?.detail.startsWith("degraded: ");
    });

    expect(checkOf(schemas)?.isOk).toBe(true);
  });
});
