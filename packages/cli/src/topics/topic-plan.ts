import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import {
  applyTopics,
  changeText,
  planTopics,
  topicPlan,
  type Admin,
  type TopicDescription,
  type TopicDifferences,
} from "@postrider/messaging";
import { findAddresses } from "../addresses.ts";
import type { Action } from "../command.ts";
import { readServiceEnvironment } from "../dev-folder.ts";
import { withAdmin } from "../kafka.ts";
import type { Terminal } from "../terminal.ts";
import { asAdministrator } from "./administrator.ts";

/** Partitions of each topic except the tiers, for a stack on one's own machine. */
export const DEV_PARTITIONS = 4;
const DEFAULT_PARTITIONS = 12;

export interface PlanOptions {
  /** Default: as many as the running `dev` uses, else 12. */
  readonly partitions?: number;
  /** Also give existing topics more partitions. */
  readonly grow?: boolean;
}

export const plan: Action<PlanOptions> = async ({ options, terminal }) => {
  const found = await differences(options, planTopics);
  tell(found, terminal, "Nothing to change.");
  if (found.changes.length > 0)
    terminal.say(
      `Carry it out with: npx postrider topics apply${flagsOf(options)}`,
    );
};

export const apply: Action<PlanOptions> = async ({ options, terminal }) => {
  const done = await differences(options, applyTopics);
  tell(done, terminal, "Nothing had to change.");
};

type Differences = TopicDifferences & {
  readonly kept: readonly KeptPartitions[];
};

/** What `find` finds, or changes, in the cluster. */
async function differences(
  options: PlanOptions,
  find: typeof planTopics | typeof applyTopics,
): Promise<Differences> {
  const { kafka, wanted } = wantedTopics(options);
  return await withAdmin(kafka.brokers, (admin) =>
    asAdministrator(kafka, async () => {
      const { topics, kept } = await growing(admin, wanted, options);
      return { ...(await find(admin, topics)), kept };
    }),
  );
}

/** The cluster, and the topics as they should be there. */
export function wantedTopics(options: PlanOptions): {
  kafka: { brokers: readonly string[]; prefix: string };
  wanted: TopicDescription[];
} {
  const addresses = findAddresses();
  const kafka = addresses.kafka();
  const dev = addresses.dev();
  const isDevs =
    dev !== null &&
    dev.file.kafka.brokers.join() === kafka.brokers.join() &&
    dev.file.topicPrefix === kafka.prefix;
  const tiers = parseTiers(tiersOf(isDevs ? dev.folder : null));
  const partitions =
    options.partitions ?? (isDevs ? DEV_PARTITIONS : DEFAULT_PARTITIONS);
  return {
    kafka,
    wanted: topicPlan({ prefix: kafka.prefix, tiers, partitions }),
  };
}

/** An existing topic that has fewer partitions than wanted, and is left so. */
export interface KeptPartitions {
  readonly topic: string;
  readonly partitions: number;
  readonly wanted: number;
  /** Read as a table: never grown, with `--grow` either. */
  readonly isTable: boolean;
}

/**
 * The wanted topics, but existing topics keep their partitions unless `grow` is set. Every topic is keyed: with more
 * partitions, a key's next record can go to another partition than its last, so it may be handled out of order, and the
 * duplicate check does not see that it is a repeat. Compacted topics are never grown.
 */
export async function growing(
  admin: Pick<Admin, "describeTopics">,
  wanted: readonly TopicDescription[],
  { grow = false }: { readonly grow?: boolean },
): Promise<{ topics: TopicDescription[]; kept: KeptPartitions[] }> {
  const found = await admin.describeTopics(wanted.map(({ topic }) => topic));
  const counts = new Map(found.map((one) => [one.topic, one.partitions]));
  const kept: KeptPartitions[] = [];
  const topics = wanted.map((one) => {
    const partitions = counts.get(one.topic) ?? one.partitions;
    const mayGrow = grow && !isCompacted(one);
    if (partitions >= one.partitions || mayGrow) return one;
    const { topic, partitions: most } = one;
    kept.push({ topic, partitions, wanted: most, isTable: isCompacted(one) });
    return { ...one, partitions };
  });
  return { topics, kept };
}

/** Of a key in two partitions, a table would take whichever record it read last, an old one too. */
function isCompacted({ config }: TopicDescription): boolean {
  return config["cleanup.policy"] === "compact";
}

function flagsOf({ partitions, grow }: PlanOptions): string {
  const count = partitions === undefined ? "" : ` --partitions ${partitions}`;
  return `${count}${grow === true ? " --grow" : ""}`;
}

/** The tiers that the running stack was started with, unless the environment sets others. */
export function tiersOf(devFolder: string | null): string {
  const fromDev =
    devFolder === null
      ? undefined
      : readServiceEnvironment(devFolder)["POSTRIDER_TIERS"];
  return process.env["POSTRIDER_TIERS"] || fromDev || DEFAULT_TIERS;
}

function tell(
  differences: Differences,
  terminal: Terminal,
  none: string,
): void {
  terminal.data(differences, () =>
    differences.changes.length === 0
      ? none
      : differences.changes.map(changeText).join("\n"),
  );
  for (const warning of differences.warnings)
    terminal.say(terminal.paintTalk("yellow", `warning: ${warning}`));
  const { kept, changes } = differences;
  if (kept.length > 0)
    terminal.say(
      `Topics keep the partitions they have: ${kept.map((one) => `${one.topic} ${one.partitions} (of ${one.wanted})`).join(", ")}.\n${whyKept(kept)}`,
    );
  if (changes.some(({ kind }) => kind === "add_partitions"))
    terminal.say(terminal.paintTalk("yellow", `warning: ${WHAT_GROWING_DOES}`));
}

function whyKept(kept: readonly KeptPartitions[]): string {
  const tables = kept.filter(({ isTable }) => isTable);
  const lines: string[] = [];
  if (tables.length > 0)
    lines.push(
      `${tables.map(({ topic }) => topic).join(", ")}: compacted, never grown. A key's old record would stay in another partition than its new one.`,
    );
  if (kept.length > tables.length)
    lines.push(
      `${WHAT_GROWING_DOES} Grow the others all the same with: --grow`,
    );
  return lines.join("\n");
}

const WHAT_GROWING_DOES =
  "Growing moves keys to other partitions: for 7 days a repeated event can be delivered twice, and an endpoint's deliveries can overtake each other.";
