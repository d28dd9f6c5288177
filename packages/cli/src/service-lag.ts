/** How far each service is behind, computed from its groups' committed offsets. So it works also for a service that is down and has no metrics. */
import { parseTiers } from "@postrider/core";
import {
  groupIdOf,
  groupsOf,
  partitionLag,
  topicName,
  type Admin,
  type CommittedOffset,
  type LogRange,
} from "@postrider/messaging";
import type { DevFile } from "./dev-folder.ts";
import { withAdmin } from "./kafka.ts";
import { SERVICES } from "./processes/service-process.ts";
import { tiersOf } from "./topics/topic-plan.ts";

/** Empty when Kafka cannot be reached: the services' own checks then report that. */
export async function lagsOfDev({
  folder,
  file,
}: {
  readonly folder: string;
  readonly file: DevFile;
}): Promise<ReadonlyMap<string, number>> {
  const { kafka, topicPrefix } = file;
  try {
    return await withAdmin(kafka.brokers, (admin) =>
      lagOfServices(admin, topicPrefix, tiersOf(folder)),
    );
  } catch {
    return new Map();
  }
}

/** The number of records not done yet for each service, all of its processes together. Records that wait in a tier count for the retry scheduler. */
async function lagOfServices(
  admin: Pick<Admin, "fetchLogRanges" | "fetchCommitted">,
  prefix: string,
  tiers: string,
): Promise<ReadonlyMap<string, number>> {
  const groups = groupsOf(parseTiers(tiers));
  const lags = SERVICES.map(async (service): Promise<[string, number]> => {
    const own = groups.filter((group) => group.service === service);
    const each = own.map(async (group) => {
      const topics = group.topics.map((topic) => topicName(prefix, topic));
      const [ranges, committed] = await Promise.all([
        admin.fetchLogRanges(topics),
        admin.fetchCommitted(groupIdOf(prefix, group.name), topics),
      ]);
      return lagOf(ranges, committed);
    });
    const sum = (await Promise.all(each)).reduce((a, b) => a + b, 0);
    return [service, sum];
  });
  return new Map(await Promise.all(lags));
}

export function lagOf(
  ranges: readonly LogRange[],
  committed: readonly CommittedOffset[],
): number {
  const placeOf = (at: { topic: string; partition: number }): string =>
    `${at.topic}/${at.partition}`;
  const commits = new Map(committed.map((one) => [placeOf(one), one]));
  return ranges.reduce(
    (sum, range) =>
      sum + partitionLag(range, commits.get(placeOf(range))).behind,
    0,
  );
}
