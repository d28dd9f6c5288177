import { createKafka, type Admin, type Kafka } from "@postrider/messaging";
import {
  LATE,
  within,
  createLog,
  createMeter,
  systemClock,
  type Log,
} from "@postrider/runtime";
import { CliError, EXIT, reasonOf } from "./cli-error.ts";

const CONNECT_WITHIN_MS = 10_000;

/** A log that prints warnings and errors to stderr if POSTRIDER_DEBUG is set, else nothing: commands themselves report what they could not do. */
export function quietLog(): Log {
  const level = process.env["POSTRIDER_DEBUG"] ? "warn" : "silent";
  return createLog({ service: "cli", level });
}

export function connectKafka(brokers: readonly string[]): Kafka {
  return createKafka(
    { brokers, clientId: "postrider-cli" },
    {
      log: quietLog(),
      meter: createMeter({ service: "cli" }),
      clock: systemClock,
    },
  );
}

/** Runs `use` with a connected admin client. The adapter would wait for a broker for ever; here the command ends after 10 s, with exit code 3. */
export async function withAdmin<T>(
  brokers: readonly string[],
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = connectKafka(brokers).admin();
  await reachable(admin.connect(), brokers);
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export async function reachable<T>(
  connecting: Promise<T>,
  brokers: readonly string[],
): Promise<T> {
  try {
    const connected = await within(connecting, CONNECT_WITHIN_MS);
    if (connected === LATE)
      throw new Error(`no answer within ${CONNECT_WITHIN_MS / 1000} s`);
    return connected;
  } catch (cause) {
    throw new CliError(
      EXIT.unreachable,
      `Kafka at ${brokers.join(", ")} cannot be reached.`,
      {
        why: reasonOf(cause),
        next: "Check KAFKA_BROKERS, or start a stack: npx postrider dev",
        cause,
      },
    );
  }
}
