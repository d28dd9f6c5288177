/** Events in the registry's framing while the registry cannot be asked: a real Kafka, and a proxy before a real registry. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { readSchemaFiles } from "@postrider/messaging";
import {
  anEvent,
  nextSchema,
  startHttpFaultProxy,
  useRegistry,
  useStack,
  waitFor,
  type HttpFaultProxy,
} from "@postrider/testkit";
import { SourceIngest } from "../../fixtures/source-ingest.ts";

const stack = useStack();
const given = useRegistry();
const testWithRegistry = given.isThere ? test : test.skip;

const EVENTS = `${stack.prefix}events`;
const ingest = new SourceIngest(stack);
let proxy: HttpFaultProxy;
/** Asks the registry itself, past the proxy. */
let publisher: SchemaRegistry;
let versions = 0;

beforeAll(async () => {
  if (!given.isThere) return;
  publisher = new SchemaRegistry({ host: given.url });
  proxy = await startHttpFaultProxy(given.url);
  await ingest.start([], "sources: []", { SCHEMA_REGISTRY_URL: proxy.url });
  await waitFor(() => ingest.health.ready().every(({ isOk }) => isOk));
}, 300_000);
afterAll(async () => {
  await ingest.stop();
  await proxy?.close();
});

/** An event in a version of its schema that nobody has seen yet. */
async function inNewVersion(id: string): Promise<Buffer> {
  const today = readSchemaFiles().get("WebhookEvent")!;
  const schema = nextSchema(today, `version${versions++}`);
  const registered = await publisher.register(
    { type: SchemaType.AVRO, schema },
    { subject: `${stack.prefix}publisher${versions}-value` },
  );
  return await publisher.encode(registered.id, anEvent({ id }));
}

const inJson = (id: string): string =>
  JSON.stringify({ id, tenantId: "acme", type: "order.paid", payload: {} });

/** Sends to one partition, and waits until what came of these events is so. */
async function decisionsOf(ids: readonly string[]) {
  return await waitFor(
    async () => {
      const rows = await ingest.intakeOf(EVENTS, 1);
      const found = ids.map((id) => rows.find(({ eventId }) => eventId === id));
      return found.every((row) => row !== undefined) && found;
    },
    { what: `intake of ${ids.join(", ")}` },
  );
}

const checkOf = (name: string) =>
  ingest.health.ready().find((check) => check.name === name);
const isReady = () => ingest.health.ready().every(({ isOk }) => isOk);
const isLive = () => ingest.health.live().every(({ isOk }) => isOk);

testWithRegistry(
  "while the registry is down a record whose schema is not known waits, others of its partition go on, and it is routed when the registry is back",
  async () => {
    const late = await inNewVersion("late");
    await proxy.vanish();

    await ingest.produce(EVENTS, [{ value: late }, { value: inJson("next") }]);

    expect(await decisionsOf(["next"])).toMatchObject([{ decision: "routed" }]);
    await waitFor(() => checkOf("route.schemas")?.detail !== "");
    expect(checkOf("route.schemas")).toMatchObject({
      isOk: true,
      detail: expect.stringMatching(/^degraded: 1 record waiting for schemas/),
    });
    await waitFor(() => checkOf("schema-registry")?.detail !== "");
    expect(checkOf("schema-registry")?.detail).toMatch(/^degraded: .*REFUSED/);
    expect([isReady(), isLive()]).toEqual([true, true]);

    await proxy.appear();
    expect(await decisionsOf(["late"])).toMatchObject([{ decision: "routed" }]);
    await waitFor(() => checkOf("route.schemas")?.detail === "");
    expect(checkOf("schema-registry")?.detail).toBe("");
    const deliveries = await ingest.deliveriesOf(EVENTS, 2);
    expect(deliveries.map(({ eventId }) => eventId).toSorted()).toEqual([
      "late",
      "next",
    ]);
  },
);

testWithRegistry(
  "a 404 that is not the registry's costs no event; the registry's own makes a dead letter with the id",
  async () => {
    const hidden = await inNewVersion("hidden");
    const body = "<html>404 page not found</html>";
    proxy.fault({ kind: "answer", status: 404, body }, /\/schemas\/ids\//);
    await ingest.produce(EVENTS, [{ value: hidden }]);
    await waitFor(() => checkOf("schema-registry")?.detail.includes("404"));

    proxy.fault({ kind: "none" });
    const nobodys = Buffer.from("007fffff0002", "hex");
    await ingest.produce(EVENTS, [{ value: nobodys }]);

    expect(await decisionsOf(["hidden"])).toMatchObject([
      { decision: "routed" },
    ]);
    expect(await ingest.deadLettersOf(EVENTS, 1)).toMatchObject([
      {
        reason: "unknown_schema",
        detail: expect.stringContaining("2147483392"),
      },
    ]);
  },
);

testWithRegistry(
  "a hundred records of a schema that cannot be had make one request at a time, for one id",
  async () => {
    const value = await inNewVersion("many");
    proxy.fault(
      { kind: "answer", status: 500, body: "oops" },
      /\/schemas\/ids\//,
    );
    const before = proxy.requests.length;

    await ingest.produce(
      EVENTS,
      Array.from({ length: 100 }, () => ({ value })),
    );
    await waitFor(() => proxy.requests.length >= before + 3);

    const requests = proxy.requests.slice(before);
    const [first, second, third] = requests;
    // Each wait is at least three quarters of its length: half a second, then a second.
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(375);
    expect(third!.at - second!.at).toBeGreaterThanOrEqual(750);
    expect(new Set(requests.map(({ path }) => path)).size).toBe(1);

    proxy.fault({ kind: "none" });
    expect(await decisionsOf(["many"])).toMatchObject([{ decision: "routed" }]);
  },
);
