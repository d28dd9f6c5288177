/**
 * Tells at start, in readiness and in the log, which rights a service lacks in Kafka. Its start ends once none is missing, and it is a
 * service's first part, so nothing is consumed before: a dispatcher that may not write `attempts` would send requests that nobody records.
 */
import {
  LATE,
  sleep,
  within,
  type Check,
  type KafkaConfig,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import type { AskedAdmin } from "./asked-admin.ts";
import type { Admin, GrantedOperations } from "./ports.ts";
import { grantCommand, rightText, type Right } from "./rights.ts";

export interface RightsCheckOptions {
  readonly admin: Pick<AskedAdmin, "ask">;
  readonly rights: readonly Right[];
  readonly security: Pick<
    KafkaConfig,
    "kafkaSaslUsername" | "kafkaOauthClientId"
  >;
  readonly log: Log;
  /** The check's name in the health. Default `kafka-rights`. */
  readonly name?: string;
  /** The cluster is asked again after this, ms, while a right is missing. Default 10 s. */
  readonly againMs?: number;
}

export interface RightsCheck extends Lifecycle {
  /** Kafka has refused something for want of a right: asks again what is missing, at most every ten seconds. A running service goes on meanwhile. */
  doubt(): void;
  health(): {
    readonly live: readonly Check[];
    readonly ready: readonly Check[];
  };
}

const AGAIN_MS = 10_000;
/** After so long without an answer of a connected cluster the start goes on without it, ms. */
const ANSWERED_WITHIN_MS = 10_000;

/** Makes the check. Where Kafka cannot tell rights (before 2.3, or without an authorizer), it says nothing and the start does not wait. */
export function createRightsCheck(options: RightsCheckOptions): RightsCheck {
  const closing = new AbortController();
  const begun = Promise.withResolvers<void>();
  let isAsking = false;
  let missing: readonly Right[] = [];
  const check = async (): Promise<void> => {
    if (isAsking || closing.signal.aborted) return;
    isAsking = true;
    do {
      try {
        missing = await ask(options);
      } catch (error) {
        // What was missing before stays missing while the broker is away.
        options.log.debug("kafka.rightsNotRead", { error });
      }
      if (missing.length === 0) begun.resolve();
      else tell(options, missing);
      // Also after the last answer: whoever doubts it within this time is not heard.
      await sleep(options.againMs ?? AGAIN_MS, { signal: closing.signal });
    } while (missing.length > 0 && !closing.signal.aborted);
    isAsking = false;
  };
  return {
    start() {
      void check();
      return begun.promise;
    },
    // Does not wait for the check: while the broker is away its client tries to connect for ever.
    stop() {
      closing.abort();
      begun.resolve();
      return Promise.resolve();
    },
    doubt: () => void check(),
    health: () => ({
      live: [],
      ready: [
        {
          name: options.name ?? "kafka-rights",
          isOk: missing.length === 0,
          detail:
            missing.length === 0
              ? "none is missing"
              : sentence(options, missing),
        },
      ],
    }),
  };
}

async function ask({
  admin,
  rights,
}: RightsCheckOptions): Promise<readonly Right[]> {
  return await admin.ask(async (connected) => {
    const missing = await within(
      missingRights(connected, rights),
      ANSWERED_WITHIN_MS,
    );
    if (missing === LATE) throw new Error("the cluster did not answer");
    return missing;
  });
}

/** Which parts of the rights the user of this client lacks. What Kafka does not tell (a topic that does not exist) is not missing. Rejects where the broker is older than Kafka 2.3. */
export async function missingRights(
  admin: Pick<
    Admin,
    "topicOperations" | "groupOperations" | "transactionOperations"
  >,
  rights: readonly Right[],
): Promise<readonly Right[]> {
  const names = (resource: Right["resource"]): string[] =>
    rights.filter((right) => right.resource === resource).map(nameToAsk);
  const granted: Granted = {
    topic: await admin.topicOperations(names("topic")),
    group: await admin.groupOperations(names("group")),
    "transactional-id": await admin.transactionOperations(
      names("transactional-id"),
    ),
  };
  return rights.flatMap((right) => lack(right, granted));
}

type Granted = Readonly<Record<Right["resource"], GrantedOperations>>;

/** A right to a prefix is a right to any name with it. */
function nameToAsk(right: Right): string {
  return right.isPrefix ? `${right.name}rights-check` : right.name;
}

/** The part of the right that is missing: none or one. */
function lack(right: Right, granted: Granted): Right[] {
  const found = granted[right.resource].get(nameToAsk(right));
  if (found === undefined) return [];
  const operations = right.operations.filter((each) => !found.has(each));
  return operations.length === 0 ? [] : [{ ...right, operations }];
}

function tell(options: RightsCheckOptions, missing: readonly Right[]): void {
  options.log.error("kafka.rightsMissing", {
    what: sentence(options, missing),
    toMend: missing.map((right) =>
      grantCommand(right, principalOf(options.security)),
    ),
  });
}

function sentence(
  options: RightsCheckOptions,
  missing: readonly Right[],
): string {
  return `Kafka does not allow ${principalOf(options.security)}: ${missing.map(rightText).join("; ")}. Grant this with the commands in the log (kafka.rightsMissing) or in docs/kafka-rights.md; no restart is needed.`;
}

/** As far as the client knows it: a broker may map names to others. */
export function principalOf(
  security: Partial<
    Pick<KafkaConfig, "kafkaSaslUsername" | "kafkaOauthClientId">
  >,
): string {
  const name =
    security.kafkaSaslUsername ?? security.kafkaOauthClientId ?? null;
  return name === null ? "User:<this service>" : `User:${name}`;
}
