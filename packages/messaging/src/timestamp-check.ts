/** Warns once at boot of topics that keep their producers' timestamps although we rely on the broker's (LogAppendTime). */
import { sleep, type Lifecycle, type Log } from "@postrider/runtime";
import type { Admin } from "./ports.ts";
import { APPEND_TIME } from "./topics.ts";

export interface TimestampCheckOptions {
  readonly kafka: { admin(): Admin };
  /** Full names. */
  readonly topics: readonly string[];
  readonly log: Log;
}

/** A topic that does not exist yet is checked again after this, ms: if it is then made by hand, it gets the broker's default, CreateTime. */
const AGAIN_MS = 10_000;

/**
 * Makes the check. It only warns, because Postrider also works with producers' timestamps, but less exactly: the time at which an
 * event was received is then what its publisher claims (route limits it), and waits in the tiers depend on the clocks of all
 * machines. Nothing waits for the check. If Kafka refuses it (no right to read settings), that is a warning, too.
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
    // Do not wait for the check: while the broker is away its client tries to connect for ever.
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

/** The effective value of the setting, for those topics that exist. */
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
