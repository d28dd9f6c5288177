/** A publisher at the door. As publishers should, it sends an event again under its id until the door has answered 202; what was answered so is never sent again. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bodyHash, openLedger, type Random } from "@postrider/testkit";
import { TENANT } from "./endpoints.ts";
import type { World } from "./world.ts";

export interface DoorPublisher {
  /** Open loop: so many events a second, whatever becomes of earlier ones. Resolves when all are answered with 202. */
  publish(load: {
    readonly perSecond: number;
    readonly seconds: number;
  }): Promise<void>;
  /** So many events at once. */
  burst(count: number): Promise<void>;
  /** How many requests ended in which way. `cut`: the connection was refused, or broke before the answer. */
  readonly answers: { accepted: number; unavailable: number; cut: number };
  close(): void;
}

const TICK_MS = 20;
const AGAIN_MS = 100;
const HEALTHY = ["healthy0", "healthy1", "healthy2", "healthy3"] as const;

/** `doors`: the URLs of the doors that live now. Some are asked that have just died. */
export function createDoorPublisher(
  world: World,
  random: Random,
  doors: () => readonly string[],
): DoorPublisher {
  const ledger = openLedger(join(world.options.folder, "published"));
  const answers = { accepted: 0, unavailable: 0, cut: 0 };
  let made = 0;
  let isClosed = false;

  async function publishOne(): Promise<void> {
    const id = `door_${made++}`;
    const payload = `{"n":${made},"text":"${"x".repeat(random.between(20, 600))}"}`;
    const body = `{"id":"${id}","type":"load.${random.pick(HEALTHY)}","tenantId":"${TENANT}","payload":${payload}}`;
    while (!isClosed && !(await isAccepted(body))) await sleep(AGAIN_MS);
    if (isClosed) return;
    ledger.write({
      kind: "published",
      tenantId: TENANT,
      eventId: id,
      bodyHash: bodyHash(Buffer.from(payload)),
    });
  }

  async function isAccepted(body: string): Promise<boolean> {
    const urls = doors();
    const url = urls[random.between(0, urls.length - 1)];
    if (url === undefined) return false;
    let response: Response;
    try {
      response = await fetch(`${url}/v1/events`, {
        method: "POST",
        headers: {
          authorization: "Bearer admin",
          "content-type": "application/json",
        },
        body,
      });
      await response.arrayBuffer();
    } catch {
      answers.cut += 1;
      return false;
    }
    if (response.status === 202) {
      answers.accepted += 1;
      return true;
    }
    if (response.status !== 503 || response.headers.get("retry-after") === null)
      throw new Error(`the door answered ${response.status}`);
    answers.unavailable += 1;
    return false;
  }

  return {
    answers,
    async publish({ perSecond, seconds }) {
      const total = Math.round(perSecond * seconds);
      const sending: Promise<void>[] = [];
      const startedAt = performance.now();
      while (sending.length < total) {
        const elapsed = (performance.now() - startedAt) / 1000;
        const due = Math.min(total, Math.ceil(elapsed * perSecond));
        while (sending.length < due) sending.push(publishOne());
        await sleep(TICK_MS);
      }
      await Promise.all(sending);
    },
    async burst(count) {
      await Promise.all(Array.from({ length: count }, publishOne));
    },
    close() {
      isClosed = true;
      ledger.close();
    },
  };
}
