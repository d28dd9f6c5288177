/**
 * The stage of a tour on services that run already, such as those of docker-compose.yml. Other people's endpoints and rows may
 * lie beside the tour's own: so it has a tenant of its own, and counts from where it began.
 */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { findAddresses } from "../addresses.ts";
import { callApi, pathSegment, type ApiAddress } from "../api.ts";
import type { Undo } from "../dev/whole-stack.ts";
import { readEndpoints } from "../read-endpoints.ts";
import type { Terminal } from "../terminal.ts";
import { startCast } from "./cast.ts";
import {
  breakerChanges,
  endpointTableSizes,
  type MetricsSource,
} from "./metrics.ts";
import type { Narrator } from "./narrator.ts";
import { produceEvents, recordsIn } from "./records.ts";
import type { Scene } from "./scene.ts";
import { SHOWN_TIERS } from "./tour.ts";

/** The running services of POSTRIDER_INGEST_ADMIN_URL and POSTRIDER_DISPATCHER_ADMIN_URL; null unless both are set. */
export function runningServices(
  env: Readonly<Record<string, string | undefined>>,
): readonly MetricsSource[] | null {
  const {
    POSTRIDER_INGEST_ADMIN_URL: ingest,
    POSTRIDER_DISPATCHER_ADMIN_URL: dispatcher,
  } = env;
  if (!ingest || !dispatcher) return null;
  return [
    { name: "ingest", adminUrl: ingest },
    { name: "dispatcher", adminUrl: dispatcher },
  ];
}

/** Prepares a tour on running services. At its end its endpoints are removed; its events and rows stay. */
export async function setRunningStage(
  services: readonly MetricsSource[],
  narrator: Narrator,
  terminal: Terminal,
  undo: Undo,
): Promise<Scene> {
  const tenant = `demo-${randomBytes(3).toString("hex")}`;
  const scene: Scene[] = [];
  await narrator.step(
    "stack",
    {
      doing: "Looking for the running services",
      claim: "The services are running",
    },
    async () => {
      const addresses = findAddresses();
      const control = addresses.control();
      const { brokers, prefix } = addresses.kafka();
      const sizes = await endpointTableSizes(services);
      const breakers = await breakerChanges(services);
      const records = new Map<string, number>();
      for (const tier of SHOWN_TIERS)
        records.set(tier, await recordsIn(brokers, prefix, tier));
      const cast = await startCast(narrator, ownAddress());
      undo.push(() => cast.close());
      undo.push(() => removeEndpoints(control, tenant));
      scene.push({
        narrator,
        terminal,
        cast,
        control,
        tenant,
        isShared: true,
        publish: (events) => produceEvents(brokers, prefix, events),
        tableSizes: async () => {
          const now = await endpointTableSizes(services);
          return now.map((size, at) => size - (sizes[at] ?? 0));
        },
        breakers: async () => {
          const { opened, closed } = await breakerChanges(services);
          return {
            opened: opened - breakers.opened,
            closed: closed - breakers.closed,
          };
        },
        recordsIn: async (tier) =>
          (await recordsIn(brokers, prefix, tier)) - (records.get(tier) ?? 0),
      });
      return `Kafka ${brokers.join(",")} · control ${control.url} · topics ${prefix}* · tenant ${tenant}`;
    },
  );
  return scene[0]!; // the step above has added it; otherwise it threw
}

async function removeEndpoints(
  control: ApiAddress,
  tenant: string,
): Promise<void> {
  for (const { id, version } of await readEndpoints(control, {
    tenantId: tenant,
  }))
    await callApi(control, {
      method: "DELETE",
      path: `/v1/endpoints/${pathSegment(id)}`,
      headers: { "if-match": `"${version}"` },
    });
}

/** Our address in the network of the services, by which they reach the tour's receivers; the loopback where there is no other. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  const outer = addresses.find(
    (one) => one?.family === "IPv4" && !one.internal,
  );
  return outer?.address ?? "127.0.0.1";
}
