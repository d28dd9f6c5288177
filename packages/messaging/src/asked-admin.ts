/**
 * One connection to Kafka's admin interface for all who ask at about the same time. It is made at the first question, again after a
 * failure, and closed once nobody has asked for a while: a service asks at its start, and then seldom.
 */
import { within, type Lifecycle } from "@postrider/runtime";
import type { Admin } from "./ports.ts";

type Connected = Pick<Admin, "connect" | "disconnect">;

export interface AskedAdmin<A extends Connected = Admin> extends Pick<
  Lifecycle,
  "stop"
> {
  /** Rejects while Kafka does not answer. */
  ask<T>(question: (admin: A) => Promise<T>): Promise<T>;
}

const IDLE_MS = 10_000;
const STOP_WITHIN_MS = 1_000;

/** `idleMs`: from the last answer to the connection's end, ms. Default 10 s. */
export function createAskedAdmin<A extends Connected>(
  make: () => A,
  { idleMs = IDLE_MS }: { readonly idleMs?: number } = {},
): AskedAdmin<A> {
  let connected: Promise<A> | null = null;
  let asking = 0;
  let idle: NodeJS.Timeout | undefined;

  async function close(connection: Promise<A> | null): Promise<void> {
    if (connected === connection) connected = null;
    await connection
      ?.then((admin) => admin.disconnect())
      .catch(() => undefined);
  }

  return {
    async ask(question) {
      clearTimeout(idle);
      asking += 1;
      const mine = (connected ??= connectedAdmin(make()));
      let isAnswered = false;
      try {
        const answer = await question(await mine);
        isAnswered = true;
        return answer;
      } finally {
        // Also where another's failure or a stop has closed it: for the rest of this question kafkajs has connected again.
        if (!isAnswered || connected !== mine) await close(mine);
        asking -= 1;
        if (asking === 0 && connected !== null)
          idle = setTimeout(() => void close(connected), idleMs);
      }
    },
    async stop() {
      clearTimeout(idle);
      // While the broker is away the client never finishes connecting.
      await within(close(connected), STOP_WITHIN_MS);
    },
  };
}

/** The client, once it has connected. One that cannot is disconnected, so that nothing of it stays. */
export async function connectedAdmin<A extends Connected>(
  admin: A,
): Promise<A> {
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw error;
  }
}
