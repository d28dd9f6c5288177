/** Reads all that comes out: answers, topics, tables, metrics, logs, and what a crash leaves. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { topicPlan } from "@postrider/messaging";
import { readTopics, waitFor } from "@postrider/testkit";
import { PARTITIONS } from "./prepare-kafka.ts";
import type { Made } from "./through-control.ts";
import { DATABASE, PREFIX, TIERS, type World } from "./world.ts";

/** Routes that are not asked, because their answers are files, the same everywhere. */
const FILES: ReadonlySet<string> = new Set(["GET /", "GET /assets/:name"]);

/** Every route that the two APIs document, but for those of files: `GET /v1/keys/:id`. */
export function documentedRoutes(): string[] {
  const routes = ["control", "door"].flatMap((name) => {
    const file = new URL(`../../docs/openapi/${name}.json`, import.meta.url);
    const { paths } = JSON.parse(readFileSync(file, "utf8")) as {
      paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    };
    return Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(
        (method) =>
          `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/, ":$1")}`,
      ),
    );
  });
  return [...new Set(routes)].filter((route) => !FILES.has(route));
}

interface Asked {
  readonly made: Made;
  readonly replay: string;
  readonly type: string;
}

/** Asks for everything that the API shows: each documented GET, of one thing or of several. */
export async function readAnswers(world: World, asked: Asked): Promise<void> {
  const { endpoint, patched, key } = asked.made;
  const { queries } = await world.ask<{
    queries: {
      name: string;
      parameters: { name: string; default: string | null }[];
    }[];
  }>("control", "GET /v1/queries");
  const { deliveries } = await world.ask<{ deliveries: { id: string }[] }>(
    "control",
    "GET /v1/deliveries?limit=100",
  );
  const events = ["evt_avro", "evt_refused", "evt_1", "evt_2"];
  const ids: Readonly<Record<string, readonly string[]>> = {
    "GET /v1/keys/:id": [key],
    "GET /v1/event-types/:name": [asked.type],
    "GET /v1/event-type-policies/:tenantId": ["acme"],
    "GET /v1/endpoints/:id": [endpoint, patched],
    "GET /v1/endpoints/:id/resume": [patched],
    "GET /v1/replays/:id": [asked.replay],
    "GET /v1/events/:id": events,
    "GET /v1/events/:id/payload": events,
    "GET /v1/events/:id/explain": events,
    "GET /v1/queries/:name": queries.map(({ name }) => name),
    // The newest: what was tested and sent again, and its likes.
    "GET /v1/deliveries/:id": deliveries.slice(0, 10).map(({ id }) => id),
  };
  /** What a saved query has no default for. */
  const required = (name: string): string =>
    queries
      .find((query) => query.name === name)!
      .parameters.filter((parameter) => parameter.default === null)
      .map((parameter) =>
        parameter.name === "endpoint" ? `endpoint=${endpoint}` : "tenant=acme",
      )
      .join("&");
  for (const route of documentedRoutes()) {
    if (!route.startsWith("GET ")) continue;
    for (const id of route.includes(":") ? ids[route]! : [""])
      await world.ask("control", `${route}?${queryOf(route, id)}`, { id });
  }

  function queryOf(route: string, id: string): string {
    if (route === "GET /v1/queries/:name") return required(id);
    if (/\/(events|event-types)\/:/.test(route)) return "tenantId=acme";
    return LISTS.has(route) ? "limit=100" : "";
  }
  for (const table of TABLES)
    await world.ask("control", "POST /v1/query", {
      body: { sql: `SELECT * FROM ${table} LIMIT 100` },
    });
  await world.ask("control", "POST /v1/endpoints/match", {
    body: { endpointId: endpoint, filter: "payload.n > 1", since: "1h" },
  });
}

const LISTS: ReadonlySet<string> = new Set(
  ["deliveries", "attempts", "dead-letters", "audit", "endpoints"].map(
    (name) => `GET /v1/${name}`,
  ),
);
const TABLES = [
  "events",
  "attempts",
  "deliveries",
  "dead_letters",
  "signals",
  "audit",
];

export async function readPlaces(world: World): Promise<void> {
  const topics = topicPlan({
    prefix: PREFIX,
    tiers: TIERS,
    partitions: PARTITIONS,
  });
  const names = topics.map(({ topic }) => topic);
  for (const raw of await readTopics(world.kafka(), names)) {
    const headers = Object.values(raw.headers).map((value) =>
      Buffer.from(String(value)),
    );
    const bytes = [raw.key, raw.value, ...headers].filter(
      (each) => each !== null,
    );
    // Which tier a delivery waits in, a slow machine may decide.
    const topic = raw.topic.slice(PREFIX.length).replace(/^retry\..*/, "retry");
    world.places.push([`topic ${topic}`, Buffer.concat(bytes)]);
  }
  const tables = await world.selected(
    `SELECT name FROM system.tables WHERE database = '${DATABASE}' AND engine NOT LIKE '%View' FORMAT TSVRaw`,
  );
  for (const name of tables.toString().trim().split("\n"))
    world.places.push([
      `table ${name}`,
      await world.selected(`SELECT * FROM ${name} FORMAT RowBinary`),
    ]);
  for (const { name, adminUrl } of world.services)
    for (const path of ["metrics", "readyz", "livez", "startupz"]) {
      const response = await fetch(`${adminUrl}/${path}`);
      world.places.push([`${path} ${name}`, await response.text()]);
    }
}

/** Node's report of each service, then the end of one by an exception. */
export async function readCrashes(world: World): Promise<void> {
  const { services, reports } = world;
  for (const { pid } of services) process.kill(pid, "SIGUSR2");
  const texts = await waitFor(
    () => {
      const found = readdirSync(reports).map((name) =>
        readFileSync(join(reports, name), "utf8"),
      );
      // A file that is still being written is no JSON.
      for (const text of found) JSON.parse(text);
      return found.length >= services.length && found;
    },
    { what: "a report of each service" },
  );
  for (const text of texts) {
    expect(text).toContain("javascriptHeap");
    world.places.push(["report", text]);
  }
  const crashed = world.service("dispatcher");
  process.kill(crashed.pid, "SIGHUP");
  expect(await crashed.exited).toMatchObject({ code: 1 });
  expect(readFileSync(crashed.logFile, "utf8")).toContain("process.uncaught");
}

export function readLogs(world: World): void {
  for (const name of readdirSync(world.folder))
    if (name.endsWith(".log"))
      world.places.push([
        `log ${name}`,
        readFileSync(join(world.folder, name)),
      ]);
}
