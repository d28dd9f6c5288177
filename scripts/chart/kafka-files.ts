/** Topics and rights for the chart's Strimzi resources. `{tier}` stands for each tier of POSTRIDER_TIERS; names are without the prefix. */
import { DEFAULT_TIERS } from "../../packages/core/src/index.ts";
import {
  HOLDERS_OF,
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

/** Rights on one thing as one: ingest's two roles share some. */
function rightsOfHolders(holders: readonly RightsHolder[]): unknown[] {
  const operations = new Map<string, Set<string>>();
  const rights = holders.flatMap((holder) =>
    rightsOf(holder, { prefix: "", tiers: TIERS }),
  );
  for (const right of rights) {
    const key = `${right.resource} ${right.name}`;
    const all = operations.get(key) ?? new Set();
    for (const operation of right.operations) all.add(operation);
    operations.set(key, all);
  }
  return [...operations].map(([key, all]) => {
    const right = rights.find((one) => `${one.resource} ${one.name}` === key)!;
    return {
      type:
        right.resource === "transactional-id"
          ? "transactionalId"
          : right.resource,
      name: right.name,
      patternType: right.isPrefix ? "prefix" : "literal",
      operations: [...all],
    };
  });
}
