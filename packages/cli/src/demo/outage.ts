/** A later part of the tour: an endpoint goes down for a while, and its circuit breaker opens and closes. */
import { waitFor } from "@postrider/testkit";
import { callApi } from "../api.ts";
import type { TourQuery } from "./queries.ts";
import { expectEqual, where, type Scene } from "./scene.ts";
import { envelopeOf, EVENT_TYPES } from "./tour.ts";

/** More than the failures that open a breaker, so that some deliveries are never attempted while the endpoint is down. */
const EVENTS = 30;

const OF_DOWN = `event_type = '${EVENT_TYPES.down}'`;

const WAIT = { timeoutMs: 60_000, everyMs: 100 };

/** Publishes for the endpoint that is down, and waits until its breaker is open and each delivery has failed once or waits. */
export async function breakerOpens(scene: Scene): Promise<void> {
  const { narrator, cast } = scene;
  await narrator.step(
    "breaker-opens",
    {
      doing: `Publishing ${EVENTS} events for an endpoint that is down`,
      claim: "An endpoint is down, and its circuit breaker opened",
    },
    async (progress) => {
      await publish(scene, "down", EVENTS);
      progress("waiting for its circuit breaker");
      await waitFor(async () => (await scene.breakers()).opened > 0, {
        ...WAIT,
        what: "the circuit breaker to open",
      });
      progress("waiting for the rows in ClickHouse");
      const waiting = await waitFor(() => neverAttempted(scene), {
        ...WAIT,
        what: "rows of all deliveries, some of which were never attempted",
      });
      const refused = cast.seenBy("down").length;
      return `${EVENTS} events for it: ${refused} requests were answered 503; at 10 in a row the breaker opened\n${waiting} deliveries wait for it to be well (breaker_open) and were never attempted`;
    },
  );
}

/** The number of deliveries that wait without a single attempt; null while a delivery has no row. */
async function neverAttempted(scene: Scene): Promise<number | null> {
  const { rows } = (await callApi(scene.control, {
    method: "POST",
    path: "/v1/query",
    body: JSON.stringify({
      sql: `SELECT max(attempt_number) FROM attempts${where(scene, OF_DOWN)} GROUP BY delivery_id`,
    }),
  })) as { rows: [attemptNumber: number][] }; // this is what control's API answers
  if (rows.length < EVENTS) return null;
  return rows.filter(([attemptNumber]) => attemptNumber === 0).length;
}

export async function othersGoOn(scene: Scene): Promise<void> {
  const { narrator, cast } = scene;
  await narrator.step(
    "breaker-others",
    {
      doing: "Publishing an event for the healthy endpoint",
      claim: "The healthy endpoint is served meanwhile",
    },
    async () => {
      const before = cast.seenBy("healthy").length;
      await publish(scene, "healthy", 1);
      await waitFor(() => cast.seenBy("healthy").length > before, {
        ...WAIT,
        what: "the healthy endpoint's request",
      });
      return "its event was delivered while the other endpoint was down";
    },
  );
}

/** Repairs the receiver and waits until the breaker has closed and everything is delivered. */
export async function breakerCloses(scene: Scene): Promise<void> {
  const { narrator, cast } = scene;
  await narrator.step(
    "breaker-closes",
    {
      doing: "Repairing the receiver",
      claim: "The receiver was repaired: the breaker closed by itself",
    },
    async (progress) => {
      cast.repair("down");
      progress("waiting for the breaker's probes");
      const answered = await waitFor(
        () => {
          const all = cast.seenBy("down").filter((one) => one.answered === 200);
          return all.length >= EVENTS ? all : null;
        },
        // On a slow machine the breaker may have opened again meanwhile, each time for longer.
        { ...WAIT, timeoutMs: 180_000, what: `${EVENTS} answered requests` },
      );
      expectEqual(
        "deliveries that arrived",
        new Set(answered.map((one) => one.webhookId)).size,
        EVENTS,
      );
      if (cast.seenBy("down").some((one) => one.isSignatureValid !== true))
        throw new Error("the standardwebhooks package refused a signature");
      await waitFor(async () => (await scene.breakers()).closed > 0, {
        ...WAIT,
        what: "the circuit breaker to close",
      });
      const [first] = cast.seenBy("down");
      const last = answered.at(-1);
      const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
      return `its probes were answered, then what waited followed\n${answered.length} of ${EVENTS} deliveries arrived, the last at +${seconds.toFixed(1)} s`;
    },
  );
}

/** What the receiver saw, and nothing else, counts as attempts: what waited spent none. */
export function costOfTheOutage(scene: Scene): TourQuery {
  const refused = scene.cast
    .seenBy("down")
    .filter((one) => one.answered === 503);
  return {
    name: "sql-outage",
    title:
      "SQL: what did the outage cost? (a wait spends no attempt; a delivery may wait more than once)",
    sql: `SELECT if(attempt_number = 0, deferral_reason, outcome) AS what, count() AS rows FROM attempts${where(scene, OF_DOWN)} GROUP BY what ORDER BY what`,
    expected: [
      ["breaker_open", null],
      ["delivered", EVENTS],
      ["http_error", refused.length],
    ],
  };
}

async function publish(
  scene: Scene,
  role: "healthy" | "down",
  count: number,
): Promise<void> {
  const type = EVENT_TYPES[role];
  await scene.publish(
    Array.from({ length: count }, (_, at) => {
      const id = `demo-outage-${role}-${at + 1}`;
      return {
        key: `${scene.tenant}:${id}`,
        value: envelopeOf(scene, id, { type }, `{"number":${at + 1}}`),
      };
    }),
  );
}
