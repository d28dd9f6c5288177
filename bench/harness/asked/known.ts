/** What of the made-up past is asked for: tenants, endpoints and deliveries that are there, drawn by a seeded random. */
import type { Endpoint } from "@postrider/core";
import { anEndpoint, rowsOf, type Random } from "@postrider/testkit";

/** Whose key asks: an administrator's, which sees all tenants, or one of a tenant. */
export type Scope = "all" | "big" | "small";
export const SCOPES: readonly Scope[] = ["all", "big", "small"];

/** At least one. */
export type Some = readonly [string, ...string[]];

export interface Known {
  readonly tenantOf: Readonly<Record<Scope, string | null>>;
  readonly of: Readonly<Record<Scope, KnownOf>>;
}

export interface KnownOf {
  /** The endpoints with the most attempts of the last day, and those with the fewest. */
  readonly busy: Some;
  readonly quiet: Some;
  /** Deliveries by how they stand. A small tenant may lack some. */
  readonly deliveries: ReadonlyMap<Fate, Some>;
  /** Events of which an attempt was made. */
  readonly events: Some;
}

/** How a delivery stands, as a condition on `deliveries`. */
const FATES = {
  "delivered at once": "status = 'delivered' AND attempts = 1",
  "delivered after retries": "status = 'delivered' AND attempts > 2",
  waiting: "status = 'failed'",
  "given up": "status = 'expired' AND attempts > 0",
  parked: "dead_letter_reason = 'paused'",
} as const;
export type Fate = keyof typeof FATES;

const DRAWN = 20;
const BUSY = 3;

export interface Place {
  readonly url: string;
  readonly database: string;
}

/** Throws where the past has none of what is asked for: a bench of it would measure empty answers. */
export async function knownOf(place: Place, random: Random): Promise<Known> {
  const tenants = await idsOf(
    place,
    "SELECT tenant_id AS id FROM endpoint_hour GROUP BY id ORDER BY sum(attempts) DESC, id",
  );
  const small = tenants.slice(Math.floor(tenants.length * 0.9));
  const tenantOf = {
    all: null,
    big: some(tenants, "tenant")[0],
    small: random.pick(some(small, "small tenant")),
  };
  return {
    tenantOf,
    of: {
      all: await knownIn(place, "all", "1"),
      big: await knownIn(place, "big", `tenant_id = '${tenantOf.big}'`),
      small: await knownIn(place, "small", `tenant_id = '${tenantOf.small}'`),
    },
  };
}

/** Every endpoint that an attempt was made at. */
export async function endpointsIn(place: Place): Promise<readonly Endpoint[]> {
  const rows = await rowsIn<Pick<Endpoint, "id" | "tenantId">>(
    place,
    "SELECT endpoint_id AS id, tenant_id AS tenantId FROM endpoint_hour GROUP BY id, tenantId",
  );
  return rows.map(anEndpoint);
}

async function knownIn(
  place: Place,
  scope: Scope,
  condition: string,
): Promise<KnownOf> {
  const endpoints = await idsOf(
    place,
    `SELECT endpoint_id AS id FROM endpoint_hour WHERE ${condition} AND bucket >= now() - INTERVAL 23 HOUR GROUP BY id ORDER BY sum(attempts) DESC, id`,
  );
  const rows = await drawnDeliveries(place, condition);
  const deliveries = new Map<Fate, Some>();
  const byFate = Map.groupBy(rows, ({ fate }) => fate);
  for (const fate of Object.keys(FATES) as Fate[]) {
    const [first, ...rest] = (byFate.get(fate) ?? []).map(({ id }) => id);
    if (first !== undefined) deliveries.set(fate, [first, ...rest]);
    else if (scope !== "small") throw missing(`delivery ${fate} of ${scope}`);
  }
  return {
    busy: some(endpoints.slice(0, BUSY), `endpoint of ${scope}`),
    quiet: some(endpoints.slice(-DRAWN), `endpoint of ${scope}`),
    deliveries,
    events: some(
      rows.filter(({ fate }) => fate !== "parked").map(({ event }) => event),
      `event of ${scope}`,
    ),
  };
}

interface Drawn {
  readonly fate: Fate;
  readonly id: string;
  readonly event: string;
}

/** Of the last day and of one long ago, in the order of a hash: always the same. */
async function drawnDeliveries(
  place: Place,
  condition: string,
): Promise<readonly Drawn[]> {
  const fates = Object.entries(FATES).map(([fate, is]) => `${is}, '${fate}'`);
  return await rowsIn<Drawn>(
    place,
    `SELECT multiIf(${fates.join(", ")}, '') AS fate, delivery_id AS id, event_id AS event
FROM deliveries FINAL
WHERE ${condition} AND fate != ''
  AND (received_at >= now() - INTERVAL 26 HOUR OR toDate(received_at) = today() - 12)
ORDER BY cityHash64(id) LIMIT ${DRAWN} BY fate`,
  );
}

function some(ids: readonly string[], what: string): Some {
  const [first, ...rest] = ids;
  if (first === undefined) throw missing(what);
  return [first, ...rest];
}

function missing(what: string): Error {
  return new Error(`the made-up past has no ${what} to ask for`);
}

async function idsOf(place: Place, sql: string): Promise<readonly string[]> {
  const rows = await rowsIn<{ readonly id: string }>(place, sql);
  return rows.map(({ id }) => id);
}

async function rowsIn<Row>(
  { url, database }: Place,
  sql: string,
): Promise<readonly Row[]> {
  const placed = sql.replace(/\bFROM (?=\w)/, `FROM ${database}.`);
  return await rowsOf<Row>(
    url,
    `${placed} SETTINGS do_not_merge_across_partitions_select_final = 1`,
  );
}
