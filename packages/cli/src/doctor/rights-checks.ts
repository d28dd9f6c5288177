/** Whether the user whom the environment names may do in Kafka what a service does there. */
import { parseTiers } from "@postrider/core";
import {
  grantCommand,
  HOLDERS_OF,
  mergedRights,
  missingRights,
  principalOf,
  rightsOf,
  rightsOfSources,
  rightText,
  type Admin,
  type Right,
  type RightsHolder,
} from "@postrider/messaging";
import { kafkaConfig, readConfig, type KafkaConfig } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, reasonOf } from "../cli-error.ts";
import { withAdmin } from "../kafka.ts";
import type { ServiceName } from "../processes/service-process.ts";
import { tiersOf } from "../topics/topic-plan.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";
import { kafkaAway, signedIn } from "./kafka-checks.ts";
import { sourcesOf } from "./source-checks.ts";

type Env = Readonly<Record<string, string | undefined>>;

export async function serviceKafkaChecks(
  service: ServiceName,
  env: Env,
): Promise<Finding[]> {
  const addresses = findAddresses(env);
  const { brokers, prefix } = addresses.kafka();
  const tiers = parseTiers(tiersOf(addresses.dev()?.folder ?? null));
  const sources = service === "ingest" ? sourcesOf(env) : [];
  const isTold =
    service === "control" && Boolean(env["POSTRIDER_OPERATIONS_TENANT"]);
  const holders: readonly RightsHolder[] = [
    ...HOLDERS_OF[service],
    ...(isTold ? (["operations"] as const) : []),
  ];
  const rights = mergedRights([
    ...holders.flatMap((holder) => rightsOf(holder, { prefix, tiers })),
    ...rightsOfSources(
      prefix,
      sources.map(({ topic }) => topic),
    ),
  ]);
  const security: Partial<KafkaConfig> = env["KAFKA_BROKERS"]
    ? readConfig(env, kafkaConfig)
    : {};
  const principal = principalOf(security);
  try {
    return await withAdmin(brokers, async (admin) => [
      await signedIn(admin),
      ...(await rightsChecks(admin, {
        service,
        rights,
        // Each has one operation. Where another one of the same thing is missing, too, the two are one failure.
        dispensable: new Set(
          holders.includes("lag")
            ? rightsOf("lag", { prefix, tiers }).map(rightText)
            : [],
        ),
        principal,
      })),
      fine(
        "topics",
        "not looked at; an administrator does: npx postrider doctor",
      ),
    ]);
  } catch (error) {
    if (error instanceof CliError) return [kafkaAway(error)];
    throw error;
  }
}

async function rightsChecks(
  admin: Admin,
  of: {
    readonly service: ServiceName;
    readonly rights: readonly Right[];
    /** Texts of those without which the service works, and tells less. */
    readonly dispensable: ReadonlySet<string>;
    readonly principal: string;
  },
): Promise<Finding[]> {
  const check = `rights of ${of.service}`;
  let missing: readonly Right[];
  try {
    missing = await missingRights(admin, of.rights);
  } catch (error) {
    const next = "Compare them yourself with docs/kafka-rights.md.";
    return [warning(check, `Kafka does not tell: ${reasonOf(error)}`, next)];
  }
  if (missing.length === 0)
    return [fine(check, `${of.principal} has all ${of.rights.length}`)];
  return missing.map((right) => {
    const lack = `${of.principal} lacks: ${rightText(right)}`;
    const next = grantCommand(right, of.principal);
    return of.dispensable.has(rightText(right))
      ? warning(check, `${lack}. Without it GET /v1/system tells less`, next)
      : failed(check, lack, next);
  });
}
