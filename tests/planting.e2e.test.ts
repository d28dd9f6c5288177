/**
 * Plants a secret in each place where one can come in, lets the services do everything that they do with it, and looks for it in
 * everything that comes out: topics, tables, logs, answers, metrics, and what a crash leaves. What is found must be what is listed
 * (planting/plants.ts).
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ServiceProcess } from "@postrider/cli";
import type { ConfigEntry } from "@postrider/runtime";
import { waitFor } from "@postrider/testkit";
import { allPlants, BY_DESIGN, P } from "./planting/plants.ts";
import {
  documentedRoutes,
  readAnswers,
  readCrashes,
  readLogs,
  readPlaces,
} from "./planting/read-places.ts";
import { Search } from "./planting/search.ts";
import { plantInControl } from "./planting/through-control.ts";
import { anEventWith, plantInEvents } from "./planting/through-events.ts";
import { startTroubled } from "./planting/troubled.ts";
import {
  describeTypes,
  got,
  pauseAndResume,
  sealAnew,
  sendAgain,
  takeAway,
} from "./planting/walks.ts";
import { World } from "./planting/world.ts";
import { controlSpec } from "../services/control/src/config.ts";
import { dispatcherSpec } from "../services/dispatcher/src/config.ts";
import { ingestSpec } from "../services/ingest/src/config.ts";
import { recorderSpec } from "../services/recorder/src/config.ts";
import { retrySchedulerSpec } from "../services/retry-scheduler/src/config.ts";

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
    const made = await plantInControl(world);
    const type = await describeTypes(world);
    await waitFor(
      async () => {
        await world.ask("ingest", "POST /v1/events", { body: anEventWith({}) });
        return ["/endpoint", "/patched", "/applied"].every(
          (path) => got(world, path) > 0,
        );
      },
      { everyMs: 500, what: "the endpoints' first deliveries" },
    );
    await plantInEvents(world);
    const count = async (sql: string): Promise<number> =>
      Number((await world.selected(sql)).toString());
    await Promise.all([
      startTroubled(world, troubled),
      pauseAndResume(world, made),
      waitFor(
        async () =>
          (await count(
            "SELECT count() FROM dead_letters WHERE reason != 'paused'",
          )) >= 7 &&
          (await count(
            "SELECT uniqExact(event_id) FROM attempts WHERE endpoint_id LIKE 'inline%'",
          )) >= 4 &&
          ["cloud-event", "source"].every(
            (form) => got(world, "/applied", `"form":"${form}"`) > 0,
          ),
        { timeoutMs: 90_000, what: "every event to come to its end" },
      ),
    ]);
    const replay = await sendAgain(world);
    await sealAnew(world, made);
    await readAnswers(world, { made, replay, type });
    await takeAway(world, made, type);
    await readPlaces(world);
    await readCrashes(world);
    readLogs(world);

    const search = new Search(allPlants());
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
      ["log", 10],
      ["metrics", 5],
      ["report", 5],
      ["command", 3],
      ["answer", 100],
    ] as const)
      expect(search.looked.get(kind)).toBeGreaterThanOrEqual(least);
    const unasked = documentedRoutes().filter(
      (route) => !world.answered.get(route)?.some((status) => status < 300),
    );
    expect(unasked).toEqual([]);
    expect(unplanted(world)).toEqual(PUBLIC);
    // The receiver did get what it needs.
    const authorizations = world.receiver.requests.map(
      ({ headers }) => headers["authorization"],
    );
    for (const { text } of [
      P.endpointHeader,
      P.patchedHeader,
      P.appliedHeader,
      P.eventHeader,
    ])
      expect(authorizations).toContain(`Bearer ${text}`);
    const client = Buffer.from(`postrider:${P.oauthSecret.text}`);
    expect(authorizations).toContain(`Basic ${client.toString("base64")}`);
    expect(world.registryGot).toContain(`Bearer ${P.registryToken.text}`);
    expect(
      world.receiver.requests.map(({ headers }) => headers["x-route"]),
    ).toContain(P.innocentHeader.text);
  },
  LONG,
);

/** Certificates: what they say everybody may know. They are read from files as secrets are, so that they can be replaced as these can. */
const PUBLIC = [
  "CLICKHOUSE_TLS_CA",
  "KAFKA_TLS_CA",
  "KAFKA_TLS_CERT",
  "SCHEMA_REGISTRY_TLS_CA",
  "SCHEMA_REGISTRY_TLS_CERT",
];

/** The secret variables of all services in which no process was given a plant. */
function unplanted({ given }: World): string[] {
  const specs = [
    controlSpec,
    dispatcherSpec,
    ingestSpec,
    recorderSpec,
    retrySchedulerSpec,
  ];
  const secret = specs
    .flatMap((spec): ConfigEntry[] => Object.values(spec))
    .filter((entry) => entry.secret === true)
    .map(({ env }) => env);
  const plants = allPlants();
  return [...new Set(secret)]
    .filter(
      (variable) =>
        !given
          .get(variable)
          ?.some((value) => plants.some(({ text }) => value.includes(text))),
    )
    .toSorted();
}
