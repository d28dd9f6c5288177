/** The configured sources: that their file can be used, and that their topics are there and may be read. */
import { counted, type Source } from "@postrider/core";
import {
  type Admin,
  grantCommand,
  missingRights,
  principalOf,
  rightsOfSources,
  rightText,
  sourcesConfig,
} from "@postrider/messaging";
import {
  commonConfig,
  ConfigError,
  readConfig,
  registryConfig,
} from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { securityOf, withAdmin } from "../kafka.ts";
import { failed, fine, type Finding } from "./finding.ts";

type Env = Readonly<Record<string, string | undefined>>;

const CHECK = "sources";
/** With the settings that the file has to fit. */
const SPEC = {
  ...sourcesConfig,
  topicPrefix: commonConfig.topicPrefix,
  schemaRegistryUrl: registryConfig.schemaRegistryUrl,
} as const;

/** Those of the environment; none where there is no file, or none that could be used: `sourceChecks` tells that. */
export function sourcesOf(env: Env): readonly Source[] {
  try {
    return readConfig(env, SPEC).sources ?? [];
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

export async function sourceChecks(env: Env): Promise<Finding[]> {
  try {
    const sources = readConfig(env, SPEC).sources ?? [];
    return sources.length === 0 ? [] : await topicChecks(sources, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(unusable);
    // That Kafka is away is a finding already.
    if (error instanceof CliError) return [];
    throw error;
  }
}

function unusable({ message }: { readonly message: string }): Finding {
  const next = "Correct the file. See docs/publishing.md";
  return failed(CHECK, message, next, EXIT.usage);
}

async function topicChecks(
  sources: readonly Source[],
  env: Env,
): Promise<Finding[]> {
  const topics = sources.map(({ topic }) => topic);
  const { brokers, prefix } = findAddresses(env).kafka();
  return await withAdmin(brokers, async (admin) => {
    const counts = await admin.partitionCounts(topics);
    const missing = topics.filter((topic) => !counts.has(topic));
    const rights = rightsOfSources(prefix, topics).filter(
      ({ resource }) => resource === "topic",
    );
    const findings = [
      ...missing.map((topic) =>
        failed(
          CHECK,
          `there is no topic ${topic}, or this user may not describe it`,
          "Have its owner make it, or take the source out of the file: Postrider makes no topics of others.",
        ),
      ),
      ...(await unreadable(admin, rights, brokers)),
    ];
    if (findings.length > 0) return findings;
    const detail = `${counted(topics.length, "topic")}, there and readable`;
    return [fine(CHECK, detail)];
  });
}

async function unreadable(
  admin: Admin,
  rights: ReturnType<typeof rightsOfSources>,
  brokers: readonly string[],
): Promise<Finding[]> {
  // Where Kafka does not tell rights, the topics that are there count as readable.
  const missing = await missingRights(admin, rights).catch(() => []);
  const principal = principalOf(securityOf(brokers) ?? {});
  return missing.map((right) =>
    failed(
      CHECK,
      `${principal} lacks: ${rightText(right)}`,
      grantCommand(right, principal),
    ),
  );
}
