import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import {
  applyTopics,
  planTopics,
  topicPlan,
  type TopicChange,
  type TopicDescription,
  type TopicDifferences,
} from "@postrider/messaging";
import { findAddresses } from "./addresses.ts";
import type { Action } from "./command.ts";
import { readServiceEnvironment } from "./dev-folder.ts";
import { withAdmin } from "./kafka.ts";
import type { Terminal } from "./terminal.ts";

export interface PlanOptions {
  readonly partitions: number;
}

export const plan: Action<PlanOptions> = async ({ options, terminal }) => {
  const { kafka, wanted } = wantedTopics(options);
  const found = await withAdmin(kafka.brokers, (admin) =>
    planTopics(admin, wanted),
  );
  tell(found, terminal, "Nothing to change.");
  if (found.changes.length > 0)
    terminal.say("Carry it out with: npx postrider topics apply");
};

export const apply: Action<PlanOptions> = async ({ options, terminal }) => {
  const { kafka, wanted } = wantedTopics(options);
  const done = await withAdmin(kafka.brokers, (admin) =>
    applyTopics(admin, wanted),
  );
  tell(done, terminal, "Nothing had to change.");
};

function wantedTopics(options: PlanOptions): {
  kafka: { brokers: readonly string[]; prefix: string };
  wanted: TopicDescription[];
} {
  const addresses = findAddresses();
  const kafka = addresses.kafka();
  const tiers = parseTiers(tiersOf(addresses.dev()?.folder ?? null));
  const { partitions } = options;
  return {
    kafka,
    wanted: topicPlan({ prefix: kafka.prefix, tiers, partitions }),
  };
}

/** The tiers that the running stack was started with, unless the environment says otherwise. */
export function tiersOf(devFolder: string | null): string {
  const fromDev =
    devFolder === null
      ? undefined
      : readServiceEnvironment(devFolder)["POSTRIDER_TIERS"];
  return process.env["POSTRIDER_TIERS"] || fromDev || DEFAULT_TIERS;
}

function tell(
  differences: TopicDifferences,
  terminal: Terminal,
  none: string,
): void {
  terminal.data(differences, () =>
    differences.changes.length === 0
      ? none
      : differences.changes.map(render).join("\n"),
  );
  for (const warning of differences.warnings)
    terminal.say(terminal.paintTalk("yellow", `warning: ${warning}`));
}

function render(change: TopicChange): string {
  switch (change.kind) {
    case "create":
      return `create ${change.topic.topic} with ${change.topic.partitions} partitions`;
    case "add_partitions":
      return `add partitions to ${change.topic}: ${change.from} → ${change.to}`;
    case "alter_config":
      return Object.entries(change.settings)
        .map(
          ([name, { from, to }]) =>
            `set ${name} of ${change.topic}: ${from ?? "(broker's)"} → ${to}`,
        )
        .join("\n");
  }
}
