/** Events through the door, as clients would publish them: each one again until it is acknowledged. */
import { setTimeout as sleep } from "node:timers/promises";
import { bodyHash, type Ledger } from "@postrider/testkit";

export const TENANT = "acme";

const BATCH = 5;
const EVERY_MS = 50;
const ANSWER_WITHIN_MS = 15_000;
/** How long the door may refuse before the load gives up. */
const PATIENCE_MS = 120_000;

export interface Door {
  /** Such as `http://10.96.1.2:7401`. */
  readonly url: string;
  readonly adminKey: string;
}

/** Publishes one event and returns its id. */
export async function publish(
  door: Door,
  type: string,
  ledger: Ledger,
): Promise<string> {
  const event = makeEvent(type);
  await send(door, [event], ledger);
  return event.id;
}

/** Publishes events of these types in turn, at most a hundred a second, while `during` runs. Returns how many were acknowledged. */
export async function underLoad(
  door: Door,
  {
    types,
    ledger,
  }: { readonly types: readonly string[]; readonly ledger: Ledger },
  during: () => Promise<void>,
): Promise<number> {
  let isOver = false;
  let sent = 0;
  const publishing = (async () => {
    while (!isOver) {
      const batch = Array.from({ length: BATCH }, (_, i) =>
        makeEvent(types[(sent + i) % types.length]!),
      );
      await send(door, batch, ledger);
      sent += batch.length;
      await sleep(EVERY_MS);
    }
  })();
  publishing.catch(() => undefined); // where the race is over already, nobody waits for it
  try {
    // Whichever fails first ends the check.
    await Promise.race([during(), publishing]);
  } finally {
    isOver = true;
  }
  await publishing;
  return sent;
}

interface Event {
  readonly id: string;
  readonly type: string;
  readonly payload: string;
}

let made = 0;

function makeEvent(type: string): Event {
  made += 1;
  return {
    id: `e_${process.pid}_${made}`,
    type,
    payload: `{"n":${made},"big":12345678901234567890}`,
  };
}

/** A request without an acknowledgement is sent again. Route recognises events that had come in all the same. */
async function send(
  door: Door,
  events: readonly Event[],
  ledger: Ledger,
): Promise<void> {
  const body = `{"events":[${events.map(textOf).join()}]}`;
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(200)) {
    const refusal = await post(door, body);
    if (refusal === null) break;
    if (performance.now() >= end)
      throw new Error(
        `the door acknowledged nothing for ${PATIENCE_MS / 1000} s: ${refusal}`,
      );
  }
  for (const { id, payload } of events)
    ledger.write({
      kind: "published",
      tenantId: TENANT,
      eventId: id,
      bodyHash: bodyHash(Buffer.from(payload)),
    });
}

function textOf({ id, type, payload }: Event): string {
  return `{"id":"${id}","type":"${type}","tenantId":"${TENANT}","payload":${payload}}`;
}

/** Null when the events are acknowledged, else why not. */
async function post(
  { url, adminKey }: Door,
  body: string,
): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${adminKey}`,
        "content-type": "application/json",
      },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return answer.status === 202
      ? null
      : `${answer.status} ${await answer.text()}`;
  } catch (error) {
    return String(error);
  }
}
