/**
 * What resumes ask Kafka: where `dead-letters` ends, and how far the dispatchers have come. One admin client, connected at the
 * first question and again after a failure. Each running resume asks once a second; those who ask at the same time share a
 * question, so that a thousand resumes cost Kafka and this process no more than one.
 */
import {
  createAskedAdmin,
  groupIdOf,
  partitionOf,
  topicName,
  type Admin,
  type LogRange,
} from "@postrider/messaging";
import type { Clock, Lifecycle } from "@postrider/runtime";
import type { DeadLetterLog } from "./resume.ts";
import { sharedQuestion } from "./shared-question.ts";
import type { ResumeRunOptions } from "./resume-run.ts";

export interface ParkingLog extends Lifecycle {
  /** Rejects while Kafka does not answer. */
  deadLetterLog(): Promise<DeadLetterLog>;
  readonly dispatchers: ResumeRunOptions["dispatchers"];
}

/** The dispatchers count again every five minutes (`PartitionCounts`); this allows for two counts that fail. */
const COUNT_KNOWN_AFTER_MS = 15 * 60_000;

export function createParkingLog(options: {
  readonly admin: () => Admin;
  readonly prefix: string;
  readonly clock: Clock;
}): ParkingLog {
  const { prefix, clock } = options;
  const deliveries = topicName(prefix, "deliveries");
  const deadLetters = topicName(prefix, "dead-letters");
  const asked = createAskedAdmin(options.admin);
  /** How many partitions `dead-letters` has, and since when at least. A count never goes down. */
  let counted = { partitions: 0, since: clock.monotonic() };

  const deliveriesRanges = sharedQuestion(() =>
    asked.ask((admin) => admin.fetchLogRanges([deliveries])),
  );
  const deadLetterRanges = sharedQuestion(() =>
    asked.ask((admin) => admin.fetchLogRanges([deadLetters])),
  );
  const dispatchersOffsets = sharedQuestion(() =>
    asked.ask((admin) =>
      admin.fetchCommitted(groupIdOf(prefix, "dispatcher"), [deliveries]),
    ),
  );

  async function rangeOf(endpointId: string): Promise<LogRange> {
    const ranges = await deliveriesRanges();
    const partition = partitionOf(Buffer.from(endpointId), ranges.length);
    const range = ranges.find((each) => each.partition === partition);
    if (range === undefined) throw new Error(`${deliveries} has no leader now`);
    return range;
  }

  async function deadLetterLog(): Promise<DeadLetterLog> {
    const ranges = await deadLetterRanges();
    const now = clock.monotonic();
    if (ranges.length !== counted.partitions)
      counted = { partitions: ranges.length, since: now };
    return {
      ranges,
      partitionOf: (id, count) => partitionOf(Buffer.from(id), count),
      isCountKnown: now - counted.since >= COUNT_KNOWN_AFTER_MS,
    };
  }

  return {
    deadLetterLog,
    dispatchers: {
      async endFor(endpointId) {
        const { partition, start, end } = await rangeOf(endpointId);
        return { partition, start, end };
      },
      async havePassed({ partition, start, end }) {
        const committed = await dispatchersOffsets();
        const own = committed.find((each) => each.partition === partition);
        return (own?.offset ?? start) >= end;
      },
    },
    async start() {
      // Counts, so that the first pause after a while need not note every partition. Nobody waits: Kafka may be away.
      void deadLetterLog().catch(() => undefined);
    },
    stop: asked.stop,
  };
}
