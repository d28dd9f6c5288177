/** What a registry can do wrong, made by a proxy before a real one. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { registryAccess } from "@postrider/runtime";
import {
  mostAtOnce,
  testEffects,
  waitFor,
  type HttpFault,
  type HttpFaultProxy,
} from "@postrider/testkit";
import { useFaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { createRegistrySchemas } from "./registry-schemas.ts";
import { readSchemaFiles } from "./schema-files.ts";

const given = useFaultyRegistry();
const { aProxy, aSubject, registered } = given;
const describeWithRegistry = given.isThere ? describe : describe.skip;

const SIGNAL = readSchemaFiles().get("Signal")!;

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
