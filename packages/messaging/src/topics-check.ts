/**
 * Tells in readiness and in the log which of a service's topics do not exist, and what makes them. It looks at the start, and as long as
 * one is missing; what is made meanwhile is found without a restart. No start waits for it: what needs a topic waits for it by itself.
 */
import {
  sleep,
  type Check,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import type { AskedAdmin } from "./asked-admin.ts";
import type { Admin } from "./ports.ts";

export interface TopicsCheckOptions {
  readonly admin: Pick<AskedAdmin<Pick<Admin, PartitionCounts>>, "ask">;
  /** Full names. */
  readonly topics: readonly string[];
  /** What does not happen without them, as in "and … without it". */
  readonly withoutThem: string;
  readonly log: Log;
  /** From one look to the next while a topic is missing, ms. Default 2 s. */
  readonly againMs?: number;
}

type PartitionCounts = "connect" | "partitionCounts" | "disconnect";

export interface TopicsCheck extends Lifecycle {
  /** Resolves to how many partitions each has. Rejects while one is missing, with what to do, and then goes on looking by itself until none is. */
  look(): Promise<ReadonlyMap<string, number>>;
  health(): {
    readonly live: readonly Check[];
    readonly ready: readonly Check[];
  };
}

export function createTopicsCheck(options: TopicsCheckOptions): TopicsCheck {
  const { topics, log, againMs = 2_000 } = options;
  const closing = new AbortController();
  /** Null: not known yet. */
  let missing: readonly string[] | null = null;
  let isLooking = false;

  async function look(): Promise<ReadonlyMap<string, number>> {
    const found = await options.admin.ask((admin) =>
      admin.partitionCounts(topics),
    );
    const before = missing;
    missing = topics.filter((topic) => !found.has(topic));
    if (missing.length > 0) {
      const what = sentence(missing, options.withoutThem);
      if (before?.join() !== missing.join())
        log.error("topics.missing", { topics: missing, what });
      void lookUntilAllAreThere();
      throw new Error(what);
    }
    if (before !== null && before.length > 0)
      log.info("topics.found", { topics: before });
    return found;
  }

  /** Not left to the next look: whoever asked may not ask again, and the service would stay unready for ever. */
  async function lookUntilAllAreThere(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (!closing.signal.aborted && missing?.length !== 0) {
      try {
        await look();
      } catch {
        // Either a topic is missing, which is in the log, or Kafka is away, which other checks tell.
        await sleep(againMs, { signal: closing.signal });
      }
    }
    isLooking = false;
  }

  return {
    look,
    start() {
      void lookUntilAllAreThere();
      return Promise.resolve();
    },
    // Does not wait for the look: while the broker is away its client tries to connect for ever.
    stop() {
      closing.abort();
      return Promise.resolve();
    },
    health: () => ({
      live: [],
      ready: [
        {
          name: "topics",
          isOk: missing !== null && missing.length === 0,
          detail:
            missing === null
              ? "not looked at yet"
              : missing.length === 0
                ? "all are there"
                : sentence(missing, options.withoutThem),
        },
      ],
    }),
  };
}

function sentence(missing: readonly string[], withoutThem: string): string {
  const [what, them] =
    missing.length === 1
      ? [`topic ${missing.join()} does not exist`, "it"]
      : [`topics ${missing.join(" and ")} do not exist`, "them"];
  return `${what}, or this user may not describe ${them}, and ${withoutThem} without ${them}. Run \`postrider topics apply\`; no restart is needed.`;
}
