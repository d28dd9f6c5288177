/**
 * Whether the topics that a change is written to exist, and how many partitions each has. Invariant: a tenure begins only after a count
 * that found them all (docs/adr/0028-a-change-and-its-audit-record-are-one.md); otherwise the first change would end it.
 */
import {
  sleep,
  type Check,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";

export interface WrittenTopics extends Lifecycle {
  /** Counts anew: a key must stay in its partition for as long as a tenure lasts. Rejects while a topic is missing, with what to do. */
  count(): Promise<void>;
  /** As of the last count that found them all. */
  partitionsOf(topic: string): number;
  /** For readiness. A replica that lacks a topic is not ready, so that a roll stops at it and the replicas before it go on. */
  check(): Check;
}

export interface WrittenTopicsOptions {
  /** Full names. */
  readonly topics: readonly string[];
  /** How many partitions each topic has; one that does not exist is left out. */
  readonly partitionCounts: (
    topics: readonly string[],
  ) => Promise<ReadonlyMap<string, number>>;
  readonly log: Log;
  /** From one count to the next while a topic is missing, ms. Default 2 s. */
  readonly againMs?: number;
}

export function createWrittenTopics(
  options: WrittenTopicsOptions,
): WrittenTopics {
  const { topics, log, againMs = 2_000 } = options;
  const closing = new AbortController();
  let counts: ReadonlyMap<string, number> = new Map();
  /** Null: not known yet. */
  let missing: readonly string[] | null = null;

  async function count(): Promise<void> {
    const found = await options.partitionCounts(topics);
    const before = missing;
    missing = topics.filter((topic) => !found.has(topic));
    if (missing.length > 0) {
      const what = sentence(missing);
      if (before?.join() !== missing.join())
        log.error("topics.missing", { topics: missing, what });
      throw new Error(what);
    }
    if (before !== null && before.length > 0)
      log.info("topics.found", { topics: before });
    counts = found;
  }

  async function countUntilAllAreThere(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        return await count();
      } catch {
        // Either a topic is missing, which is in the log, or Kafka is away, which other checks tell.
        await sleep(againMs, { signal: closing.signal });
      }
    }
  }

  return {
    count,
    partitionsOf: (topic) => counts.get(topic) ?? 0,
    check: () => ({
      name: "topics",
      isOk: missing !== null && missing.length === 0,
      detail:
        missing === null
          ? "not looked at yet"
          : missing.length === 0
            ? "all are there"
            : sentence(missing),
    }),
    // Not waited for: a table can be read, and this start ends, while the topic of something else is missing.
    start() {
      void countUntilAllAreThere();
      return Promise.resolve();
    },
    stop() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

function sentence(missing: readonly string[]): string {
  const [what, them] =
    missing.length === 1
      ? [`topic ${missing.join()} does not exist`, "it"]
      : [`topics ${missing.join(" and ")} do not exist`, "them"];
  return `${what}, or this user may not describe ${them}, and no change is written without ${them}. Run \`postrider topics apply\`; no restart is needed.`;
}
