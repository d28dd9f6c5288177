/** Whether the cluster takes us, and its topics and settings are as Postrider needs them. */
import { counted } from "@postrider/core";
import { planTopics, type Admin } from "@postrider/messaging";
import { CliError, reasonOf } from "../cli-error.ts";
import { withAdmin } from "../kafka.ts";
import { growing, wantedTopics } from "../topics/topic-plan.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";
import { judgeClock } from "./store-checks.ts";

/** A commit's metadata lists the open offsets (docs/architecture.md, "Promises, and what keeps them"). Kafka's default. */
const LEAST_METADATA_BYTES = 4_096;
const METADATA_BYTES = "offset.metadata.max.bytes";

export async function kafkaChecks(): Promise<Finding[]> {
  const { kafka, wanted } = wantedTopics({});
  try {
    return await withAdmin(kafka.brokers, async (admin) => [
      await signedIn(admin),
      await topicsCheck(admin, wanted).catch(notTold),
      await metadataCheck(admin),
      await clockCheck(admin),
    ]);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [kafkaAway(error)];
  }
}

export async function signedIn(admin: Admin): Promise<Finding> {
  const brokers = counted(await admin.brokerCount(), "broker");
  return fine("kafka", `${brokers}, signed in`);
}

export function kafkaAway(error: CliError): Finding {
  const detail = error.why ?? error.message;
  const next = error.next ?? "npx postrider topics plan";
  return failed("kafka", detail, next, error.exitCode);
}

/** A user who may not look at the topics has a finding, and the other checks go on. */
function notTold(error: unknown): Finding {
  return failed(
    "topics",
    `cannot be looked at: ${reasonOf(error)}`,
    "Run the doctor as an administrator, or as a service: npx postrider doctor --as SERVICE",
  );
}

async function clockCheck(admin: Admin): Promise<Finding> {
  const askedAt = Date.now();
  const time = await admin.controllerClock().catch(() => null);
  if (time === null)
    return fine("clock", "Kafka does not tell its time to this user");
  // The time was read at some moment between the question and the answer.
  const readAt = (askedAt + Date.now()) / 2;
  return judgeClock("Kafka's", Math.round(time - readAt));
}

async function topicsCheck(
  admin: Admin,
  wanted: ReturnType<typeof wantedTopics>["wanted"],
): Promise<Finding> {
  const { topics } = await growing(admin, wanted, {});
  const { changes, warnings } = await planTopics(admin, topics);
  if (changes.length > 0)
    return failed(
      "topics",
      `${counted(changes.length, "change")} needed`,
      "npx postrider topics plan, then: npx postrider topics apply",
    );
  const [first] = warnings;
  return first === undefined
    ? fine("topics", `${topics.length} topics, as they should be`)
    : warning("topics", first, "npx postrider topics plan");
}

async function metadataCheck(admin: Admin): Promise<Finding> {
  const name = METADATA_BYTES;
  const settings = await admin.brokerSettings([name]).catch(() => null);
  const value = settings?.get(name);
  if (value === undefined)
    return warning(
      name,
      "the brokers do not tell it to this user",
      "Give this user DescribeConfigs on the cluster, or look it up yourself.",
    );
  return Number(value) >= LEAST_METADATA_BYTES
    ? fine(name, value)
    : failed(
        name,
        `${value}: a commit needs up to ${LEAST_METADATA_BYTES}`,
        `Set ${name}=${LEAST_METADATA_BYTES} on every broker.`,
      );
}
