/** One connection to Kafka's admin interface for all questions: made at the first one, and again after a failure. */
import type { Admin } from "@postrider/messaging";
import { within, type Lifecycle } from "@postrider/runtime";

export interface AskedAdmin extends Pick<Lifecycle, "stop"> {
  /** Rejects while Kafka does not answer. */
  ask<T>(question: (admin: Admin) => Promise<T>): Promise<T>;
}

const STOP_WITHIN_MS = 1_000;

export function createAskedAdmin(make: () => Admin): AskedAdmin {
  let connected: Promise<Admin> | null = null;

  async function connect(): Promise<Admin> {
    const admin = make();
    await admin.connect();
    return admin;
  }

  async function discard(): Promise<void> {
    const discarded = connected;
    connected = null;
    await discarded?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  return {
    async ask(question) {
      const mine = (connected ??= connect());
      try {
        return await question(await mine);
      } catch (error) {
        if (connected === mine) await discard();
        throw error;
      }
    },
    async stop() {
      // While the broker is away the client never finishes connecting.
      await within(discard(), STOP_WITHIN_MS);
    },
  };
}
