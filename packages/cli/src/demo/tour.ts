/** The steps of the tour, from the first event to the last row. Each step makes a claim, checks it, and throws when it does not hold. */
import { waitFor } from "@postrider/testkit";
import { callApi } from "../api.ts";
import type { EventView } from "../event-view.ts";
import { RETRY_AFTER_SECONDS, type Role } from "./cast.ts";
import { expectEqual, type Scene } from "./scene.ts";

export const EVENT_TYPES: Readonly<Record<Exclude<Role, "inline">, string>> = {
  healthy: "order.paid",
  flaky: "invoice.sent",
  dead: "user.deleted",
  down: "stock.changed",
};
/** The roles that one event each is published for; `outage.ts` has the events of `down`. */
type RoleOfOne = Exclude<Role, "down">;
const INLINE_SECRET = "whsec_aW5saW5lLWRlbW8tc2VjcmV0LTI0Ynl0ZXM=";

/** Registers four endpoints and waits until every process that needs them has them: route sends only to endpoints that it knows. */
export async function createEndpoints(scene: Scene): Promise<void> {
  const { narrator, cast, control } = scene;
  const roles = ["healthy", "flaky", "dead", "down"] as const;
  await narrator.step(
    "endpoints",
    {
      doing: "Registering four endpoints",
      claim: "Four endpoints are registered",
    },
    async (progress) => {
      const lines: string[] = [];
      for (const role of roles) {
        const endpoint = (await callApi(control, {
          method: "POST",
          path: "/v1/endpoints",
          body: JSON.stringify({
            tenantId: scene.tenant,
            url: cast.urlOf(role),
            eventTypes: [EVENT_TYPES[role]],
            description: `${role} endpoint of the demo`,
            ...(role === "dead" ? { retryDelaysMs: [1_000, 2_000] } : {}),
          }),
        })) as { id: string; secret: string };
        cast.knowSecret(role, endpoint.secret);
        lines.push(
          `${role.padEnd(8)} wants ${EVENT_TYPES[role].padEnd(13)} ${endpoint.id}`,
        );
      }
      progress("waiting until route and deliver know them");
      await waitFor(
        async () =>
          (await scene.tableSizes()).every((size) => size >= roles.length),
        { what: "the endpoint tables of route and deliver", timeoutMs: 60_000 },
      );
      return lines.join("\n");
    },
  );
}

export async function publishEvents(scene: Scene): Promise<void> {
  const { narrator, cast } = scene;
  cast.knowSecret("inline", INLINE_SECRET);
  await narrator.step(
    "publish",
    {
      doing: "Publishing four events",
      claim: "Four events are on the Kafka topic",
    },
    async () => {
      const envelope = (role: RoleOfOne, more: object): string =>
        envelopeOf(scene, eventIdOf(role), more, payloadOf(role));
      const events = (["healthy", "flaky", "dead"] as const).map((role) => ({
        role,
        value: envelope(role, { type: EVENT_TYPES[role] }),
      }));
      await scene.publish(
        [
          ...events,
          {
            role: "inline" as const,
            value: envelope("inline", {
              type: "report.ready",
              destination: { url: cast.urlOf("inline"), secret: INLINE_SECRET },
            }),
          },
        ].map(({ role, value }) => ({
          key: `${scene.tenant}:${eventIdOf(role)}`,
          value,
        })),
      );
      return "three for registered endpoints, one that brings its own URL and secret";
    },
  );
}

/** For each role, the requests that it must receive and the delivery that Postrider must report. */
const EXPECTED: Readonly<
  Record<
    RoleOfOne,
    { answers: readonly number[]; status: string; claim: string }
  >
> = {
  healthy: {
    answers: [200],
    status: "delivered",
    claim: "The healthy endpoint got its event at once",
  },
  inline: {
    answers: [200],
    status: "delivered",
    claim: "The inline destination got its event, signed with its own secret",
  },
  flaky: {
    answers: [500, 503, 200],
    status: "delivered",
    claim: "The flaky endpoint got its event at the third attempt",
  },
  dead: {
    answers: [500, 500, 500],
    status: "expired",
    claim: "The dead endpoint's delivery became a dead letter",
  },
};

export async function followDelivery(
  scene: Scene,
  role: RoleOfOne,
): Promise<void> {
  const { narrator, cast } = scene;
  const { answers, status, claim } = EXPECTED[role];
  await narrator.step(
    role,
    { doing: `Following the ${role} endpoint's event`, claim },
    async (progress) => {
      progress("waiting for the attempts");
      const seen = await waitFor(
        () => {
          const all = cast.seenBy(role);
          return all.length >= answers.length ? all : null;
        },
        { what: `${answers.length} requests`, timeoutMs: 60_000 },
      );
      expectEqual(
        "the answers",
        seen.map((one) => one.answered),
        answers,
      );
      if (seen.some((one) => one.isSignatureValid !== true))
        throw new Error("the standardwebhooks package refused a signature");
      if (seen.some((one) => one.body !== payloadOf(role)))
        throw new Error("the body is not the payload, byte for byte");
      expectEqual(
        "distinct webhook-ids",
        new Set(seen.map((one) => one.webhookId)).size,
        1,
      );
      progress("waiting for the rows in ClickHouse");
      const event = await waitFor(
        () => eventWith(scene, role, { status, attempts: answers.length }),
        {
          what: `the event ${eventIdOf(role)} as ${status}`,
          timeoutMs: 60_000,
        },
      );
      return detailOf(event, seen.length);
    },
  );
}

async function eventWith(
  { control, tenant }: Scene,
  role: Role,
  wanted: { status: string; attempts: number },
): Promise<EventView | null> {
  const event = (await callApi(control, {
    method: "GET",
    path: `/v1/events/${eventIdOf(role)}?tenantId=${tenant}`,
  })) as EventView; // this is what control's API answers
  const [delivery] = event.deliveries;
  return delivery?.status === wanted.status &&
    delivery.attempts.length === wanted.attempts
    ? event
    : null;
}

function detailOf(event: EventView, requests: number): string {
  const attempts = event.deliveries[0]?.attempts ?? [];
  const startedAt = attempts.map((one) => Date.parse(one.startedAt));
  const first = startedAt[0] ?? 0;
  const trail = attempts
    .map(
      (one, at) =>
        `${one.statusCode ?? one.outcome} at +${(((startedAt[at] ?? 0) - first) / 1000).toFixed(1)} s`,
    )
    .join(" → ");
  const retryAfter =
    attempts[1]?.statusCode === 503
      ? `\n503 asked for ${RETRY_AFTER_SECONDS} s (Retry-After), so the wait was that long`
      : "";
  return `${trail}; ${requests} of ${requests} signatures right${retryAfter}`;
}

/** The tiers whose records the tour counts. */
export const SHOWN_TIERS = ["1s", "2s"] as const;

/** Checks that the retries were records of the tiers' topics: two first failures waited one second, two second failures two seconds or more. */
export async function showTiers(scene: Scene): Promise<void> {
  await scene.narrator.step(
    "tiers",
    {
      doing: "Counting what the delay topics carried",
      claim: "The retries went through the delay topics",
    },
    async () => {
      const lines: string[] = [];
      for (const tier of SHOWN_TIERS) {
        const records = await scene.recordsIn(tier);
        if (records < 2)
          throw new Error(
            `retry.${tier} holds ${records} records, 2 were expected`,
          );
        lines.push(`retry.${tier} carried ${records} records`);
      }
      return lines.join("\n");
    },
  );
}

/** An event as its producer writes it: the payload's text unchanged. */
export function envelopeOf(
  { tenant }: Scene,
  id: string,
  more: object,
  payload: string,
): string {
  return `{"id":"${id}","tenantId":"${tenant}",${JSON.stringify(more).slice(1, -1)},"payload":${payload}}`;
}

export function eventIdOf(role: Role): string {
  return `demo-${role}`;
}

/** A number beyond 2^53 and an unusual format, to show that the receiver gets exactly these bytes. */
function payloadOf(role: Role): string {
  return `{"for": "${role}", "amount": 1.10, "id": 9007199254740993}`;
}
