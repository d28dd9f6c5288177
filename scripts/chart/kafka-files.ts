/** Topics and rights for the chart's Strimzi resources. `{tier}` stands for each tier of POSTRIDER_TIERS; names are without the prefix. */
import { DEFAULT_TIERS } from "../../packages/core/src/index.ts";
import {
  HOLDERS_OF,
  mergedRights,
  rightsOf,
  topicPlan,
  type RightsHolder,
} from "../../packages/messaging/src/index.ts";

const TIERS = [{ topic: "retry.{tier}" }];
/** Stands for the partitions that `topics.partitions` sets. */
const AS_CONFIGURED = 1_000_000;

export function kafkaFile(): unknown {
  return {
    tiers: DEFAULT_TIERS,
    topics: topicPlan({
      prefix: "",
      tiers: TIERS,
      partitions: AS_CONFIGURED,
    }).map(({ topic, partitions, config }) => ({
      name: topic,
      partitions: partitions === AS_CONFIGURED ? null : partitions,
      config,
    })),
    rights: Object.fromEntries(
      Object.entries(HOLDERS_OF).map(([service, holders]) => [
        service,
        rightsOfHolders(holders),
      ]),
    ),
    // Of control besides, where POSTRIDER_OPERATIONS_TENANT is set.
    operationsRights: rightsOfHolders(["operations"]),
  };
}

function rightsOfHolders(holders: readonly RightsHolder[]): unknown[] {
  const rights = holders.flatMap((holder) =>
    rightsOf(holder, { prefix: "", tiers: TIERS }),
  );
  return mergedRights(rights).map(
    ({ resource, name, isPrefix, operations }) => ({
      type: resource === "transactional-id" ? "transactionalId" : resource,
      name,
      patternType: isPrefix ? "prefix" : "literal",
      operations,
    }),
  );
}
