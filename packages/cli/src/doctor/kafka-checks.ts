/** Whether the cluster takes us, and its topics and settings are as Postrider needs them. */
import { planTopics, type Admin } from "@postrider/messaging";
import { CliError } from "../cli-error.ts";
import { withAdmin } from "../kafka.ts";
import { growing, wantedTopics } from "../topics/topic-plan.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";

/** A commit's metadata lists the open offsets (docs/architecture.md, "Promises, and what keeps them"). Kafka's default. */
const LEAST_METADATA_BYTES = 4_096;

export async function kafkaChecks(): Promise<Finding[]> {
  const { kafka, wanted } = wantedTopics({});
  try {
    return await withAdmin(kafka.brokers, async (admin) => [
      fine("kafka", `${await admin.brokerCount()} brokers, signed in`),
      await topicsCheck(admin, wanted),
      await metadataCheck(admin),
    ]);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const detail = error.why ?? error.message;
    const next = error.next ?? "npx postrider topics plan";
    return [failed("kafka", detail, next, error.exitCode)];
  }
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
      `${changes.length} changes are needed`,
      "npx postrider topics plan, then: npx postrider topics apply",
    );
  const [first] = warnings;
  return first === undefined
    ? fine("topics", `${topics.length} topics, as they should be`)
    : warning("topics", first, "npx postrider topics plan");
}

async function metadataCheck(admin: Admin): Promise<Finding> {
  const name = "offset.metadata.max.bytes";
  const value = (await admin.brokerSettings([name])).get(name);
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
