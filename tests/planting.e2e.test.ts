/**
 * Plants a secret in each place where one can come in, lets the services do everything that they do with it, and looks for it in
 * everything that comes out: topics, tables, logs, answers, metrics, and what a crash leaves. What is found must be what is listed
 * (planting/plants.ts).
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ServiceProcess } from "@postrider/cli";
import { waitFor } from "@postrider/testkit";
import { BY_DESIGN, encryptionKey, made, P, whsec } from "./planting/plants.ts";
import {
  readAnswers,
  readCrashes,
  readLogs,
  readPlaces,
} from "./planting/read-places.ts";
import { Search } from "./planting/search.ts";
import { plantInControl } from "./planting/through-control.ts";
import { anEventWith, plantInEvents } from "./planting/through-events.ts";
import { startTroubled } from "./planting/troubled.ts";
import { World } from "./planting/world.ts";

const LONG = 180_000;
const world = new World();
const troubled: ServiceProcess[] = [];

beforeAll(() => world.start(), LONG);
afterAll(async () => {
  for (const each of troubled) await each.stop(2_000);
  await world.stop();
}, LONG);

test(
  "a planted secret is nowhere but where it must be",
  async () => {
    await plantInControl(world);
    const { endpoints } = await world.ask<{ endpoints: { id: string }[] }>(
      "control",
      "GET /v1/endpoints",
    );
    await waitFor(
      async () => {
        await world.ask("ingest", "POST /v1/events", { body: anEventWith({}) });
        return ["/endpoint", "/applied"].every((path) =>
          world.receiver.requests.some((request) => request.path === path),
        );
      },
      { everyMs: 500, what: "the endpoints' first deliveries" },
    );
    await plantInEvents(world);
    const count = async (sql: string): Promise<number> =>
      Number((await world.selected(sql)).toString());
    await Promise.all([
      startTroubled(world, troubled),
      waitFor(
        async () =>
          (await count("SELECT count() FROM dead_letters")) >= 4 &&
          (await count(
            "SELECT uniqExact(event_id) FROM attempts WHERE endpoint_id LIKE 'inline%'",
          )) >= 3,
        { timeoutMs: 90_000, what: "every event to come to its end" },
      ),
    ]);
    await readAnswers(world, endpoints[0]!.id);
    await readPlaces(world);
    await readCrashes(world);
    readLogs(world);

    const search = new Search([
      ...Object.values(P),
      encryptionKey,
      whsec,
      ...made,
    ]);
    for (const [place, bytes] of world.places) search.look(place, bytes);

    const byDesign = Object.entries(BY_DESIGN).flatMap(([name, where]) =>
      where.map((place) => `${name} in ${place}`),
    );
    const found = search.found.map((each) => each.replace(/ \([^)]*\)/, ""));
    expect([...new Set(found)].toSorted()).toEqual(byDesign.toSorted());
    // Where nothing is looked at, nothing is found.
    for (const [kind, least] of [
      ["topic", 30],
      ["table", 6],
      ["log", 8],
      ["metrics", 5],
      ["report", 5],
      ["command", 2],
      ["answer", 25],
    ] as const)
      expect(search.looked.get(kind)).toBeGreaterThanOrEqual(least);
    // The receiver did get what it needs.
    const got = world.receiver.requests.map(
      ({ headers }) => headers["authorization"],
    );
    for (const { text } of [P.endpointHeader, P.appliedHeader, P.eventHeader])
      expect(got).toContain(`Bearer ${text}`);
    expect(
      world.receiver.requests.map(({ headers }) => headers["x-route"]),
    ).toContain(P.innocentHeader.text);
  },
  LONG,
);
