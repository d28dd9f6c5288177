/** How far each service is behind, computed from its groups' committed offsets. So it works also for a service that is down and has no metrics. */
import { parseTiers } from "@postrider/core";
import {
  topicName,
  type Admin,
  type CommittedOffset,
  type LogRange,
} from "@postrider/messaging";
import type { DevFile } from "./dev-folder.ts";
import { withAdmin } from "./kafka.ts";
import { SERVICES, type ServiceName } from "./processes/service-process.ts";
import { tiersOf } from "./topics/topic-plan.ts";

/** The group ids (without the prefix) of each service, and the topics that each group reads. */
function groupsOf(
  name: ServiceName,
  tiers: string,
): Readonly<Record<string, readonly string[]>> {
  switch (name) {
    case "ingest":
      return { route: ["events"] };
    case "dispatcher":
      return { dispatcher: ["deliveries"] };
    case "retry-scheduler":
      return { "retry-scheduler": parseTiers(tiers).map((tier) => tier.topic) };
    case "recorder":
      return {
        "recorder.intake": ["intake"],
        "recorder.attempts": ["attempts"],
        "recorder.dead-letters": ["dead-letters"],
        "recorder.signals": ["signals"],
        "recorder.audit": ["audit"],
      };
    case "control":
      return { "control-signals": ["signals"] };
  }
}

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
  const lags = SERVICES.map(async (name): Promise<[string, number]> => {
    const groups = Object.entries(groupsOf(name, tiers));
    const each = groups.map(async ([group, names]) => {
      const topics = names.map((topic) => topicName(prefix, topic));
      const [ranges, committed] = await Promise.all([
        admin.fetchLogRanges(topics),
        admin.fetchCommitted(prefix + group, topics),
      ]);
      return lagOf(ranges, committed);
    });
    const sum = (await Promise.all(each)).reduce((a, b) => a + b, 0);
    return [name, sum];
  });
  return new Map(await Promise.all(lags));
}

export function lagOf(
  ranges: readonly LogRange[],
  committed: readonly CommittedOffset[],
): number {
  const placeOf = (at: { topic: string; partition: number }): string =>
    `${at.topic}/${at.partition}`;
  const offsets = new Map(committed.map((one) => [placeOf(one), one.offset]));
  return ranges.reduce((sum, range) => {
    const done = Math.max(offsets.get(placeOf(range)) ?? 0, range.start);
    return sum + Math.max(0, range.end - done);
  }, 0);
}
