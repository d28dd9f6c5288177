/**
 * Warns once at boot of settings that are not as Postrider needs them: of the topics that the service uses, and of the brokers. It is no
 * more than a warning, because everything works for now, only less exactly or not for long: where `events` keeps its producers'
 * timestamps the time of an event is what its publisher claims, and a table that is not compacted loses its oldest entries some day.
 * Nothing waits for the check. What this user may not look at is told once, too (docs/adr/0051-a-service-looks-at-what-it-may.md).
 */
import { sleep, type Lifecycle, type Log } from "@postrider/runtime";
import type { AskedAdmin } from "./asked-admin.ts";
import { METADATA_BYTES, lackOfMetadataBytes } from "./metadata-bytes.ts";
import type { Admin, TopicDescription } from "./ports.ts";
import { settingText } from "./topics.ts";

type Asked = Pick<
  Admin,
  | "connect"
  | "topicOperations"
  | "topicSettings"
  | "clusterOperations"
  | "brokerSettings"
  | "disconnect"
>;

export interface SettingsCheckOptions {
  readonly admin: Pick<AskedAdmin<Asked>, "ask">;
  /** The topics that the service uses, as they should be. */
  readonly plan: readonly TopicDescription[];
  readonly log: Log;
  /** From one look to the next while a topic does not exist, ms. Default 10 s. */
  readonly againMs?: number;
}

/** A topic that does not exist yet is looked at later: if it is then made by hand, it gets the broker's defaults. */
const AGAIN_MS = 10_000;

export function createSettingsCheck(options: SettingsCheckOptions): Lifecycle {
  const closing = new AbortController();
  return {
    start() {
      void check(options, closing.signal).catch((error: unknown) => {
        if (!closing.signal.aborted)
          options.log.warn("settings.notRead", { error });
      });
      return Promise.resolve();
    },
    // Does not wait for the check: while the broker is away its client tries to connect for ever.
    stop() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

async function check(
  { admin, plan, log, againMs = AGAIN_MS }: SettingsCheckOptions,
  signal: AbortSignal,
): Promise<void> {
  const isShown = await admin.ask((connected) => brokers(connected, log));
  let left = plan;
  for (let isFirst = true; left.length > 0; isFirst = false) {
    if (!isFirst) await sleep(againMs, { signal });
    // No question after the stop: it would connect again.
    if (signal.aborted) return;
    const { settings, hidden } = await admin.ask(
      async (connected) => await look(connected, left),
    );
    for (const topic of left) warn(topic, settings.get(topic.topic), log);
    if (isFirst && (hidden.length > 0 || !isShown))
      log.info("settings.notShown", { topics: hidden, what: HIDDEN });
    left = left.filter(
      ({ topic }) => !settings.has(topic) && !hidden.includes(topic),
    );
  }
}

const HIDDEN =
  "Kafka does not show this user all settings (DescribeConfigs), so nobody has looked at them here. An administrator does: npx postrider doctor";

/** Resolves to whether the brokers' settings may be looked at. */
async function brokers(admin: Asked, log: Log): Promise<boolean> {
  const allowed = await admin.clusterOperations();
  if (allowed?.has("DescribeConfigs") !== true) return false;
  const settings = await admin.brokerSettings([METADATA_BYTES]);
  const value = settings.get(METADATA_BYTES);
  const lack = value === undefined ? null : lackOfMetadataBytes(value);
  if (lack !== null)
    log.warn("broker.misconfigured", {
      setting: METADATA_BYTES,
      value,
      what: lack.detail,
      toMend: lack.next,
    });
  return true;
}

interface Seen {
  /** Of the topics that exist. */
  readonly settings: Awaited<ReturnType<Admin["topicSettings"]>>;
  /** Topics whose settings this user may not look at. */
  readonly hidden: readonly string[];
}

async function look(
  admin: Asked,
  plan: readonly TopicDescription[],
): Promise<Seen> {
  const topics = plan.map(({ topic }) => topic);
  const allowed = await admin.topicOperations(topics);
  // Asked for one of these, Kafka would refuse all.
  const hidden = topics.filter(
    (topic) => allowed.get(topic)?.has("DescribeConfigs") === false,
  );
  const shown = topics.filter((topic) => !hidden.includes(topic));
  const names = new Set(plan.flatMap(({ config }) => Object.keys(config)));
  return { settings: await admin.topicSettings(shown, [...names]), hidden };
}

/** More room than the plan wants is an operator's choice: to wait for something that is away for long, retention is raised. */
function isMore(setting: string, value: string, wanted: string): boolean {
  if (setting !== "retention.ms" && setting !== "max.message.bytes")
    return false;
  return value === "-1" || Number(value) > Number(wanted);
}

function warn(
  { topic, config }: TopicDescription,
  settings: Readonly<Record<string, string>> | undefined,
  log: Log,
): void {
  for (const [setting, wanted] of Object.entries(config)) {
    const value = settings?.[setting];
    if (value === undefined || value === wanted) continue;
    if (isMore(setting, value, wanted)) continue;
    log.warn("topic.misconfigured", {
      topic,
      setting,
      value,
      wanted,
      what: settingText(topic, setting, { from: value, to: wanted }),
      toMend: `postrider topics apply, or: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=${wanted}`,
    });
  }
}
