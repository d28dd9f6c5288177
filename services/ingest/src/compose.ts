import type { Composition, Effects } from "@postrider/runtime";
import type { IngestConfig } from "./config.ts";
import type { Door } from "./door/door.ts";
import { createDoorPart } from "./door/door-part.ts";
import { createRoutePart } from "./route/route-part.ts";
import { createShared } from "./shared-parts.ts";

/** What `compose` returns. `door` gives the door's address; null if this process does not have the door role. */
export interface Ingest extends Composition {
  readonly door: Door | null;
}

/** Ingest's parts in starting order. Door and route have separate outputs, so that neither waits for the other's batches. */
export function compose(config: IngestConfig, effects: Effects): Ingest {
  const shared = createShared(config, effects);
  const route = config.roles.includes("route") ? createRoutePart(shared) : null;
  const door = config.roles.includes("door") ? createDoorPart(shared) : null;
  const roles = [route, door].filter((role) => role !== null);
  return {
    parts: [
      shared.rights,
      shared.topics,
      shared.settings,
      shared.schemas,
      shared.entries,
      ...roles.flatMap(({ parts }) => parts),
    ],
    health: {
      live: () => roles.flatMap(({ health }) => health().live),
      ready: () => [
        ...shared.rights.health().ready,
        ...shared.topics.health().ready,
        ...shared.schemas.health().ready,
        ...roles.flatMap(({ health }) => health().ready),
      ],
    },
    door: door?.door ?? null,
  };
}
