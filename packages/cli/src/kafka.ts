import { createKafka, type Admin, type Kafka } from "@postrider/messaging";
import {
  ConfigError,
  LATE,
  within,
  createLog,
  createMeter,
  kafkaConfig,
  readConfig,
  systemClock,
  type KafkaConfig,
  type Log,
} from "@postrider/runtime";
import { brokersOf } from "./addresses.ts";
import { CliError, EXIT, reasonOf } from "./cli-error.ts";
import { unusedSettings } from "./owned-settings.ts";

const CONNECT_WITHIN_MS = 10_000;

/** A log that prints warnings and errors to stderr if POSTRIDER_DEBUG is set, else nothing: commands themselves report what they could not do. */
export function quietLog(): Log {
  const level = process.env["POSTRIDER_DEBUG"] ? "warn" : "silent";
  return createLog({ service: "cli", level });
}

export function connectKafka(
  brokers: readonly string[],
  log: Log = quietLog(),
): Kafka {
  const security = securityOf(brokers);
  return createKafka(
    { brokers, clientId: "postrider-cli", ...(security && { security }) },
    {
      log,
      meter: createMeter({ service: "cli" }),
      clock: systemClock,
    },
  );
}

/** TLS and SASL of the environment belong to the environment's brokers, and not to those that `dev` has started. */
export function securityOf(brokers: readonly string[]): KafkaConfig | null {
  const { KAFKA_BROKERS } = process.env;
  if (!KAFKA_BROKERS) noteUnused();
  if (!KAFKA_BROKERS || brokersOf(KAFKA_BROKERS).join() !== brokers.join())
    return null;
  try {
    return readConfig(process.env, kafkaConfig);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(EXIT.usage, "The settings for Kafka are wrong.", {
      why: error.message,
      next: "See docs/security.md",
    });
  }
}

let isNoted = false;

/** Whoever sets KAFKA_TLS and forgets KAFKA_BROKERS would else look for the reason in the wrong place. */
function noteUnused(): void {
  const unused = unusedSettings("KAFKA_BROKERS", process.env);
  if (unused === null || isNoted || process.argv.includes("--json")) return;
  isNoted = true;
  process.stderr.write(`note: ${unused}\n`);
}

/** A quiet log, and the last trouble that the client had: kafkajs retries without an end and tells nobody else. */
function troubleLog(): {
  readonly log: Log;
  readonly last: () => string | null;
} {
  const quiet = quietLog();
  let last: string | null = null;
  const warn: Log["warn"] = (event, fields) => {
    if (typeof fields?.["error"] === "string") last = fields["error"];
    else if (typeof fields?.["detail"] === "string") last = fields["detail"];
    quiet.warn(event, fields);
  };
  return { log: { ...quiet, warn }, last: () => last };
}

/** Runs `use` with a connected admin client. The adapter would wait for a broker for ever; here the command ends after 10 s, with exit code 3. */
export async function withAdmin<T>(
  brokers: readonly string[],
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const trouble = troubleLog();
  const admin = connectKafka(brokers, trouble.log).admin();
  await reachable(admin.connect(), brokers, trouble.last);
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export async function reachable<T>(
  connecting: Promise<T>,
  brokers: readonly string[],
  lastTrouble: () => string | null = () => null,
): Promise<T> {
  try {
    const connected = await within(connecting, CONNECT_WITHIN_MS);
    if (connected === LATE)
      throw new Error(
        lastTrouble() ?? `no answer within ${CONNECT_WITHIN_MS / 1000} s`,
      );
    return connected;
  } catch (cause) {
    throw new CliError(
      EXIT.unreachable,
      `Kafka at ${brokers.join(", ")} cannot be reached.`,
      {
        why: plain(reasonOf(cause)),
        next: nextFor(reasonOf(cause)),
        cause,
      },
    );
  }
}

/** Without the client's talk of what it tries next. */
function plain(reason: string): string {
  return reason.replace(
    /^Failed to connect to seed broker, trying another broker from the list: /,
    "",
  );
}

/** What the client says is often about something else than KAFKA_BROKERS. */
function nextFor(reason: string): string {
  const isNoBroker = /no answer of a Kafka broker/.test(reason);
  if (!process.env["KAFKA_TLS"] && (isNoBroker || /closed/i.test(reason)))
    return "Does this port speak TLS? Then set KAFKA_TLS=true. See docs/security.md";
  if (isNoBroker)
    return "Is this the port of a Kafka broker? Check KAFKA_BROKERS (docs/operations.md, The command)";
  if (/before secure TLS connection|wrong version number/i.test(reason))
    return "KAFKA_TLS is true: does this port of the broker speak TLS? See docs/security.md";
  if (/certificate|self-signed|altname/i.test(reason))
    return "Is KAFKA_TLS_CA the authority of the broker's certificate? See docs/security.md";
  if (/current SASL state|mechanism is not supported/i.test(reason))
    return "Does this port of the broker take KAFKA_SASL_MECHANISM? See docs/security.md";
  if (/SASL|authentication/i.test(reason))
    return "Check the user and the password, or the token endpoint. See docs/security.md";
  return "Check KAFKA_BROKERS (docs/operations.md, The command), or start a stack: npx postrider dev";
}
