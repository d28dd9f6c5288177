/** Reads all that comes out: answers, topics, tables, metrics, logs, and what a crash leaves. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { topicPlan } from "@postrider/messaging";
import { readTopics, waitFor } from "@postrider/testkit";
import { PARTITIONS } from "./prepare-kafka.ts";
import { DATABASE, PREFIX, TIERS, type World } from "./world.ts";

/** Asks for everything that the API shows. */
export async function readAnswers(world: World, id: string): Promise<void> {
  const routes = [
    "GET /v1/endpoints",
    "GET /v1/endpoints/:id",
    "GET /v1/deliveries?limit=100",
    "GET /v1/attempts?limit=100",
    "GET /v1/dead-letters?limit=100",
    "GET /v1/audit?limit=100",
    "GET /v1/keys",
    "GET /v1/secrets",
    "GET /v1/status",
    "GET /v1/events/evt_avro?tenantId=acme",
    "GET /openapi.json",
  ];
  for (const route of routes) await world.ask("control", route, { id });
  for (const table of ["events", "attempts", "dead_letters", "audit"])
    await world.ask("control", "POST /v1/query", {
      body: { sql: `SELECT * FROM ${table} LIMIT 100` },
    });
}

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
