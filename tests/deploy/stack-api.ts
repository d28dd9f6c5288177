/** A stack's APIs at the addresses and with the key of docker-compose.yml, as a program on the machine uses them. */
import { randomUUID } from "node:crypto";
import { waitFor } from "@postrider/testkit";

const DOOR = "http://127.0.0.1:7401";
const CONTROL = "http://127.0.0.1:7400";
const KEY = "development-only";

export const TENANT = "deploy";

/** Longer than a session timeout and a container's start on a slow machine. */
const WITHIN = { timeoutMs: 180_000, everyMs: 500 };

interface Delivery {
  readonly status: string;
  readonly deadLetterReason: string | null;
  readonly attempts: readonly { readonly statusCode: number | null }[];
}

/** Registers an endpoint for the events of one type. Tried again, because control may write a moment after it is ready: then it owns the endpoints. */
export async function createEndpoint(
  url: string,
  eventType: string,
  more: object = {},
): Promise<void> {
  const body = { tenantId: TENANT, url, eventTypes: [eventType], ...more };
  await waitFor(async () => await call(`${CONTROL}/v1/endpoints`, body), {
    ...WITHIN,
    what: `the endpoint ${url}`,
  });
}

/** Publishes one event and resolves to its id. */
export async function publish(type: string): Promise<string> {
  const id = `evt-${randomUUID()}`;
  await call(`${DOOR}/v1/events`, {
    id,
    tenantId: TENANT,
    type,
    payload: { from: "outside" },
  });
  return id;
}

/** Publishes events until one has a delivery, because route hears of a new endpoint a moment later. Resolves to the event's id. */
export async function publishRouted(type: string): Promise<string> {
  return await waitFor(
    async () => {
      const id = await publish(type);
      const [event] = await waitFor(async () => [await eventOf(id)], {
        ...WITHIN,
        what: `the row of event ${id}`,
      });
      return event && event.deliveries.length > 0 && id;
    },
    { ...WITHIN, what: `an event ${type} with a delivery` },
  );
}

/** Resolves to the event's only delivery, once its status is the given one and so many attempts are rows: they come from another topic. */
export async function deliveryOf(
  id: string,
  status: string,
  attempts: number,
): Promise<Delivery> {
  return await waitFor(
    async () => {
      const [delivery] = (await eventOf(id)).deliveries;
      if (delivery?.status === status && delivery.attempts.length === attempts)
        return delivery;
      throw new Error(`the delivery is ${JSON.stringify(delivery)}`);
    },
    { ...WITHIN, what: `the delivery of ${id} as ${status}` },
  );
}

/** Asks ClickHouse through control; resolves to the rows. */
export async function rowsOf(sql: string): Promise<readonly unknown[][]> {
  const answer = await call(`${CONTROL}/v1/query`, { sql });
  return (answer as { rows: unknown[][] }).rows; // control's contract
}

async function eventOf(
  id: string,
): Promise<{ readonly deliveries: readonly Delivery[] }> {
  const answer = await call(`${CONTROL}/v1/events/${id}?tenantId=${TENANT}`);
  return answer as { deliveries: Delivery[] }; // control's contract
}

async function call(url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${url} answered ${response.status} ${text}`);
  return JSON.parse(text);
}
