/** Says, once at boot, which topics keep their producers' timestamps where the broker's own are counted on. */
import { sleep, type Lifecycle, type Log } from "@postrider/runtime";
import type { Admin } from "./ports.ts";
import { APPEND_TIME } from "./topics.ts";

export interface TimestampCheckOptions {
  readonly kafka: { admin(): Admin };
  /** Full names. */
  readonly topics: readonly string[];
  readonly log: Log;
}

/** A topic that is not there yet is looked at again: made by hand, it has the broker's default, which is CreateTime. */
const AGAIN_MS = 10_000;

/**
 * It only warns. With a producer's timestamps events come in when their publishers say so, within bounds that route keeps;
 * and waits in the tiers are as exact as the clocks of all machines. Nothing waits for the check, and Kafka's refusal of it
 * (no right to read settings) is a warning, too.
 */
export function createTimestampCheck(
  options: TimestampCheckOptions,
): Lifecycle {
  const closing = new AbortController();
  return {
    start() {
      void check(options, closing.signal);
      return Promise.resolve();
    },
    // Not waited for: a client whose broker is away tries to connect for ever.
    stop() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

async function check(
  { kafka, topics, log }: TimestampCheckOptions,
  signal: AbortSignal,
): Promise<void> {
  const left = new Set(topics);
  while (left.size > 0 && !signal.aborted) {
    try {
      const types = await timestampTypes(kafka, [...left]);
      if (signal.aborted) return;
      for (const [topic, value] of types) {
        left.delete(topic);
        if (value !== WANTED)
          log.warn("topic.misconfigured", warning(topic, value));
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn("topic.settingsNotRead", { topics: [...left], error });
      return;
    }
    if (left.size > 0) await sleep(AGAIN_MS, { signal });
  }
}

const SETTING = "message.timestamp.type";
const WANTED = APPEND_TIME[SETTING];

function warning(topic: string, value: string): Record<string, string> {
  const toMend = `postrider topics apply, or: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${SETTING}=${WANTED}`;
  return { topic, setting: SETTING, value, wanted: WANTED, toMend };
}

/** The setting as it is in effect, of those topics that exist. */
async function timestampTypes(
  kafka: TimestampCheckOptions["kafka"],
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await admin.topicSetting(topics, SETTING);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
