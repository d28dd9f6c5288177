/** Whether the cluster takes us, and its topics and settings are as Postrider needs them. */
import { counted } from "@postrider/core";
import {
  changeText,
  lackOfMetadataBytes,
  METADATA_BYTES,
  planTopics,
  type Admin,
} from "@postrider/messaging";
import { CliError, reasonOf } from "../cli-error.ts";
import { withAdmin } from "../kafka.ts";
import { growing, wantedTopics } from "../topics/topic-plan.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";
import { judgeClock } from "./store-checks.ts";

/** So many changes are told; `topics plan` tells the others. */
const CHANGES_TOLD = 3;

export async function kafkaChecks(): Promise<Finding[]> {
  const { kafka, wanted } = wantedTopics({});
  try {
    return await withAdmin(kafka.brokers, async (admin) => [
      await signedIn(admin),
      await topicsCheck(admin, wanted).catch(notTold),
      await metadataCheck(admin),
      await clockCheck(admin),
      fine(
        "rights",
        "not looked at; those of a service, with its environment: npx postrider doctor --as SERVICE",
      ),
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
      `${counted(changes.length, "change")} needed: ${told(changes.map(changeText))}`,
      "npx postrider topics plan, then: npx postrider topics apply",
    );
  const [first] = warnings;
  return first === undefined
    ? fine("topics", `${topics.length} topics, as they should be`)
    : warning("topics", first, "npx postrider topics plan");
}

function told(changes: readonly string[]): string {
  const lines = changes.flatMap((change) => change.split("\n"));
  const more = lines.length > CHANGES_TOLD ? ["…"] : [];
  return [...lines.slice(0, CHANGES_TOLD), ...more].join("; ");
}

async function metadataCheck(admin: Admin): Promise<Finding> {
  const settings = await admin
    .brokerSettings([METADATA_BYTES])
    .catch(() => null);
  return judgeMetadataBytes(settings?.get(METADATA_BYTES) ?? null);
}

/** `value`: null where the brokers do not tell it. */
export function judgeMetadataBytes(value: string | null): Finding {
  if (value === null)
    return warning(
      METADATA_BYTES,
      "the brokers do not tell it to this user",
      "Give this user DescribeConfigs on the cluster, or look it up yourself.",
    );
  const lack = lackOfMetadataBytes(value);
  return lack === null
    ? fine(METADATA_BYTES, value)
    : failed(METADATA_BYTES, lack.detail, lack.next);
}
