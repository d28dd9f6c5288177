import { setTimeout as sleep } from "node:timers/promises";
import {
  createSchemas,
  readSchemaFiles,
  type RecordName,
} from "@postrider/messaging";
import {
  anEvent,
  mostAtOnce,
  nextSchema,
  startHttpFaultProxy,
  testEffects,
  waitFor,
  type HttpFaultProxy,
} from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { TENANT } from "../endpoints.ts";
import type { PublishedEvent } from "../publisher.ts";
import { metricOf } from "../services.ts";
import type { World } from "../world.ts";

const WAITING = "postrider_schema_waiting_records";
/** Each of four services registers one schema at a time at its start; after that, one asks for four at once. */
const MOST_AT_ONCE = 8;

interface Fault {
  begin(world: World, proxy: HttpFaultProxy): Promise<void>;
  end(world: World, proxy: HttpFaultProxy): Promise<void>;
}

const answered = (status: number, body: string): Fault => ({
  async begin(_, proxy) {
    proxy.fault({ kind: "answer", status, body });
  },
  async end(_, proxy) {
    proxy.fault({ kind: "none" });
  },
});

const FAULTS: readonly Fault[] = [
  {
    begin: (_, proxy) => proxy.vanish(),
    end: (_, proxy) => proxy.appear(),
  },
  answered(500, "oops"),
  {
    async begin({ registry }) {
      registry.server.freeze();
    },
    async end({ registry }) {
      registry.server.thaw();
    },
  },
  answered(404, "<html>no such page</html>"),
  {
    async begin(_, proxy) {
      proxy.fault({ kind: "broken" });
    },
    async end(_, proxy) {
      proxy.fault({ kind: "none" });
    },
  },
];

export const registryDown: FaultCase = {
  name: "registry-down",
  proves:
    "a schema registry that is gone, frozen or failing under load holds up only the events whose schema is not known yet: each of them is delivered when it is back, and nothing becomes a dead letter",
  isLong: true,
  hasRegistry: true,
  async run(world, random) {
    const proxy = await startHttpFaultProxy(world.registry.url);
    try {
      const env = { SCHEMA_REGISTRY_URL: proxy.url };
      await world.startAll({
        ingest: env,
        dispatcher: env,
        "retry-scheduler": env,
        recorder: env,
      });
      await world.publisher.publish({ perSecond: 400, seconds: 2 });
      await world.surviving(async () => {
        const faults = world.isShort ? FAULTS.slice(0, 3) : FAULTS;
        const seconds = faults.length * 3;
        const load = world.publisher.publish({ perSecond: 250, seconds });
        for (const [version, fault] of faults.entries()) {
          // The publisher reaches the registry, the services do not.
          const valueFor = await inVersion(world, `version${version}`);
          await fault.begin(world, proxy);
          await world.publisher.publish({
            perSecond: 40,
            seconds: 1,
            valueFor,
          });
          await waitsForSchemas(world);
          await sleep(random.between(0, 1_500));
          await fault.end(world, proxy);
        }
        await load;
      });
      world.tells(() => ({ registryRequests: proxy.requests.length }));
      world.also(function* ({ deadLetters }) {
        for (const { reason, detail } of deadLetters)
          if (reason === "unknown_schema") yield `a dead letter: ${detail}`;
        const most = mostAtOnce(proxy.requests);
        if (most > MOST_AT_ONCE)
          yield `${most} requests to the registry at once`;
      });
    } finally {
      await proxy.close();
    }
  },
};

/** Writes events in a version of their schema that is registered now and that no service has seen. */
async function inVersion(
  world: World,
  name: string,
): Promise<(event: PublishedEvent) => Buffer> {
  const own = new Map<RecordName, string>(readSchemaFiles());
  own.set("WebhookEvent", nextSchema(own.get("WebhookEvent")!, name));
  const schemas = createSchemas({
    ...testEffects(),
    kafka: world.kafka,
    prefix: world.prefix,
    ownSchemas: own,
    registeredTopics: ["events"],
    registry: { schemaRegistryUrl: world.registry.url },
  });
  await schemas.start();
  await schemas.stop(Date.now() + 5_000);
  return ({ id, type, payload }) => {
    const value = anEvent({ id, type, tenantId: TENANT, payload });
    return schemas.encode({ topic: "events", key: null, value });
  };
}

/** The fault has its effect: route holds records back. */
async function waitsForSchemas(world: World): Promise<void> {
  const ingest = world.services.one("ingest");
  await waitFor(async () => ((await metricOf(ingest, WAITING)) ?? 0) > 0, {
    what: "records that wait for a schema",
  });
}
