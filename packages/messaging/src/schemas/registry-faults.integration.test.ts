/** What a registry can do wrong, made by a proxy before a real one. */
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { registryAccess } from "@postrider/runtime";
import {
  aRawRecord,
  aSignal,
  mostAtOnce,
  startHttpFaultProxy,
  testEffects,
  useRegistry,
  useStack,
  waitFor,
  type HttpFault,
  type HttpFaultProxy,
} from "@postrider/testkit";
import { createRegistrySchemas } from "./registry-schemas.ts";
import { readSchemaFiles } from "./schema-files.ts";
import { createSchemas, type Schemas } from "./schemas.ts";

const stack = useStack();
const given = useRegistry();
const describeWithRegistry = given.isThere ? describe : describe.skip;

const SIGNAL = readSchemaFiles().get("Signal")!;
const closing: (() => Promise<unknown>)[] = [];
let subjects = 0;

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function aProxy(isGone = false): Promise<HttpFaultProxy> {
  const proxy = await startHttpFaultProxy(given.url, { isGone });
  closing.push(() => proxy.close());
  return proxy;
}

/** Gives up a request soon, and asks again soon. */
function registryBehind({ url }: HttpFaultProxy) {
  const effects = testEffects();
  const registry = registryAccess({ schemaRegistryUrl: url }, effects.log)!;
  const schemas = createRegistrySchemas({
    registry,
    requestMs: 400,
    failedMs: 10,
    ...effects,
  });
  return { schemas, log: effects.log };
}

/** Registers past the proxy, with all the time that the registry wants. */
async function registered(json: string): Promise<number> {
  const effects = testEffects();
  const address = { schemaRegistryUrl: given.url };
  const registry = registryAccess(address, effects.log)!;
  const schemas = createRegistrySchemas({ registry, ...effects });
  return await waitFor(() => schemas.register(aSubject(), json));
}

const aSubject = (): string => `${stack.prefix}${subjects++}-value`;

const FAULTS: readonly (readonly [string, HttpFault | "gone"])[] = [
  ["is not there", "gone"],
  ["never answers", { kind: "silent" }],
  ["is slower than anybody waits", { kind: "slow", delayMs: 5_000 }],
  ["breaks its answers off", { kind: "broken" }],
  ["answers 500", { kind: "answer", status: 500, body: "oops" }],
  ["answers 503 with a page", answer(503, "<html>down</html>")],
  ["answers 401", answer(401, '{"error_code":401,"message":"who?"}')],
  ["answers 429", answer(429, '{"error_code":429,"message":"slow down"}')],
  [
    "is hidden by a proxy that knows no such page",
    answer(404, "<html>not found</html>"),
  ],
  [
    "is asked under a wrong path",
    answer(404, '{"error_code":404,"message":"HTTP 404 Not Found"}'),
  ],
  [
    "is hidden by a page that wants a sign-in",
    answer(200, "<html>sign in</html>"),
  ],
  ["answers with nothing", answer(200, "{}")],
];

function answer(status: number, body: string): HttpFault {
  return { kind: "answer", status, body };
}

async function begin(
  proxy: HttpFaultProxy,
  fault: HttpFault | "gone",
): Promise<void> {
  if (fault === "gone") await proxy.vanish();
  else proxy.fault(fault);
}

async function end(proxy: HttpFaultProxy): Promise<void> {
  proxy.fault({ kind: "none" });
  await proxy.appear();
}

describeWithRegistry("while the registry", () => {
  let id = 0;
  beforeAll(async () => {
    id = await registered(SIGNAL);
  });

  test.each(FAULTS)(
    "%s, a schema is unknown and never absent, it is asked for once at a time, and had when that is over",
    async (_, fault) => {
      const proxy = await aProxy();
      const { schemas, log } = registryBehind(proxy);
      await begin(proxy, fault);
      const seen = new Set<string>();
      const look = () => {
        const { kind } = schemas.byId(id);
        seen.add(kind);
        return kind;
      };

      await waitFor(() => {
        look();
        return log.of("registry.failed").length >= 3;
      });

      expect([...seen]).toEqual(["unknown"]);
      expect(schemas.problem()).toMatch(/does not answer as it should/);
      expect(mostAtOnce(proxy.requests)).toBeLessThanOrEqual(1);

      await end(proxy);
      await waitFor(() => look() === "found");
      expect(schemas.problem()).toBe(null);
    },
  );

  test.each(FAULTS)(
    "%s, nothing is registered, and what is asked then is registered when that is over",
    async (_, fault) => {
      const proxy = await aProxy();
      const { schemas } = registryBehind(proxy);
      const subject = aSubject();
      await begin(proxy, fault);

      await expect(schemas.register(subject, SIGNAL)).rejects.toThrow();

      await end(proxy);
      await waitFor(() => schemas.register(subject, SIGNAL));
    },
  );

  test("answers slowly, but in time, it is asked once at a time", async () => {
    const proxy = await aProxy();
    const { schemas } = registryBehind(proxy);
    proxy.fault({ kind: "slow", delayMs: 100 });

    await waitFor(() => schemas.byId(id).kind === "found");

    expect(mostAtOnce(proxy.requests)).toBe(1);
  });

  test("fails for one schema only, another is had meanwhile", async () => {
    const proxy = await aProxy();
    const { schemas } = registryBehind(proxy);
    const other = await registered(
      '{"type":"record","name":"Other","fields":[]}',
    );
    proxy.fault(answer(500, "oops"), new RegExp(`/schemas/ids/${id}$`));

    await waitFor(() => {
      schemas.byId(id);
      return schemas.byId(other).kind === "found";
    });

    expect(schemas.byId(id)).toEqual({ kind: "unknown" });
  });
});

describeWithRegistry("a registry that answers", () => {
  test.each([0, 2_147_418_114])(
    "that it has no schema %i is believed, and is not asked again at once",
    async (nobodys) => {
      const proxy = await aProxy();
      const { schemas } = registryBehind(proxy);
      await waitFor(() => schemas.byId(nobodys).kind === "absent");
      const before = proxy.requests.length;

      for (let n = 0; n < 1_000; n++) schemas.byId(nobodys);

      expect(schemas.byId(nobodys)).toEqual({
        kind: "absent",
        detail: `the registry has no schema ${nobodys}`,
      });
      expect(proxy.requests).toHaveLength(before);
      expect(schemas.problem()).toBe(null);
    },
  );

  test("is not asked for an id that no registry gives", async () => {
    const proxy = await aProxy();

    expect(registryBehind(proxy).schemas.byId(-5).kind).toBe("absent");

    expect(proxy.requests).toEqual([]);
  });

  test("gets four requests at a time at most, whatever garbage names", async () => {
    const proxy = await aProxy();
    const { schemas } = registryBehind(proxy);
    proxy.fault({ kind: "slow", delayMs: 20 });
    const ids = Array.from({ length: 300 }, (_, n) => 2_000_000_000 + n);

    await waitFor(() => {
      for (const id of ids) schemas.byId(id);
      return proxy.requests.length >= 40;
    });

    expect(mostAtOnce(proxy.requests)).toBeLessThanOrEqual(4);
  });
});

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
    closing.push(() => schemas.stop(Date.now() + 2_000));
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
    const schemas = schemasBehind(await newPrefix(), given.url);
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
