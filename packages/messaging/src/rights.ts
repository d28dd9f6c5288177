/** The rights (ACLs) that each service needs in Kafka: the one list from which come the check at start, the documentation and the commands that grant them. */
import { groupsOf, sourceGroupId, type ReadingGroup } from "./groups.ts";
import type { Operation } from "./ports.ts";

/** The services; ingest by its two roles. */
export type RightsHolder =
  | "door"
  | "route"
  | "dispatcher"
  | "retry-scheduler"
  | "recorder"
  | "control"
  /** Control, where it sends operational events: what it needs besides. */
  | "operations"
  /** Control, to tell how far each stage is behind. Without it control works, and tells of a stage which right is missing. */
  | "lag";

export interface Right {
  readonly resource: "topic" | "group" | "transactional-id";
  /** With the prefix of topics and groups. */
  readonly name: string;
  /** Whether the right covers every name that begins with `name`: for groups of one process, which have a random end, and for names that the service does not know. */
  readonly isPrefix: boolean;
  /** To read or to write is also to describe. */
  readonly operations: readonly Operation[];
}

export interface RightsOptions {
  readonly prefix: string;
  readonly tiers: readonly { readonly topic: string }[];
}

/** Everything that the service does in Kafka, and nothing else. */
export function rightsOf(
  service: RightsHolder,
  { prefix, tiers }: RightsOptions,
): readonly Right[] {
  const topic = (name: string, ...operations: Operation[]): Right => ({
    resource: "topic",
    name: `${prefix}${name}`,
    isPrefix: false,
    operations,
  });
  const group = (name: string, operation: Operation = "Read"): Right => ({
    resource: "group",
    name: `${prefix}${name}`,
    isPrefix: false,
    operations: [operation],
  });
  const readingGroups = (of: ReadingGroup["service"]): Right[] =>
    groupsOf(tiers)
      .filter((each) => each.service === of)
      .map(({ name }) => group(name));
  const ownGroups = (name: string): Right => ({
    ...group(name),
    isPrefix: true,
  });
  // Every service reads the schemas that others wrote, and writes its own.
  const schemas = [
    topic("schemas", "Read", "Write"),
    ownGroups("schemas.table."),
  ];
  switch (service) {
    case "door":
      return [
        topic("events", "Write"),
        topic("control", "Read"),
        ...schemas,
        ownGroups("control.table."),
      ];
    case "route":
      return [
        topic("events", "Read", "DescribeConfigs"),
        topic("deliveries", "Write"),
        topic("intake", "Write"),
        topic("dead-letters", "Write"),
        topic("endpoints", "Read"),
        topic("control", "Read"),
        ...schemas,
        ...readingGroups("ingest"),
        ownGroups("endpoints.table."),
        ownGroups("control.table."),
      ];
    case "dispatcher":
      return [
        topic("deliveries", "Read", "Write"),
        topic("attempts", "Write"),
        ...tiers.map((tier) => topic(tier.topic, "Write")),
        topic("dead-letters", "Write"),
        topic("signals", "Write"),
        topic("endpoints", "Read"),
        ...schemas,
        ...readingGroups("dispatcher"),
        ownGroups("endpoints.table."),
      ];
    case "retry-scheduler":
      return [
        ...tiers.map((tier) =>
          topic(tier.topic, "Read", "Write", "DescribeConfigs"),
        ),
        topic("deliveries", "Write"),
        topic("dead-letters", "Write"),
        ...schemas,
        ...readingGroups("retry-scheduler"),
      ];
    case "recorder":
      return [
        topic("intake", "Read"),
        topic("attempts", "Read"),
        topic("dead-letters", "Read", "Write"),
        topic("signals", "Read"),
        topic("audit", "Read"),
        ...schemas,
        ...readingGroups("recorder"),
      ];
    case "control":
      return [
        topic("endpoints", "Read", "Write"),
        topic("control", "Read", "Write"),
        topic("audit", "Write"),
        topic("signals", "Read", "Write"),
        topic("dead-letters", "Read", "Write"),
        topic("deliveries", "Write"),
        topic("attempts", "Describe"),
        ...schemas,
        group("control"),
        ...readingGroups("control"),
        group("dispatcher", "Describe"),
        group("recorder.attempts", "Describe"),
        group("recorder.dead-letters", "Describe"),
        ownGroups("endpoints.table."),
        ownGroups("control.table."),
        ownGroups("dead-letters.read."),
        {
          resource: "transactional-id",
          name: `${prefix}control`,
          isPrefix: false,
          operations: ["Write"],
        },
      ];
    case "operations":
      return [topic("events", "Write")];
    case "lag":
      return [
        topic("events", "Describe"),
        topic("intake", "Describe"),
        // Also a tier that is configured no more, and still has records.
        { ...topic("retry.", "Describe"), isPrefix: true },
        // Also the group of each configured source, `route.…`.
        { ...group("route", "Describe"), isPrefix: true },
        group("retry-scheduler", "Describe"),
        group("recorder.intake", "Describe"),
        group("recorder.signals", "Describe"),
        group("recorder.audit", "Describe"),
      ];
  }
}

/** What the route stage needs besides to read the configured sources, by their topics' full names. */
export function rightsOfSources(
  prefix: string,
  topics: readonly string[],
): readonly Right[] {
  const read = { isPrefix: false, operations: ["Read"] } as const;
  return topics.flatMap((topic): Right[] => [
    { ...read, resource: "topic", name: topic },
    { ...read, resource: "group", name: sourceGroupId(prefix, topic) },
  ]);
}

/** What control needs besides to tell how far a configured source is read. It works without. */
export function lagRightOfSource(topic: string): Right {
  return {
    resource: "topic",
    name: topic,
    isPrefix: false,
    operations: ["Describe"],
  };
}

/** Each service by its holders of rights: ingest has those of both its roles, and control those that it can do without. */
export const HOLDERS_OF = {
  ingest: ["door", "route"],
  dispatcher: ["dispatcher"],
  "retry-scheduler": ["retry-scheduler"],
  recorder: ["recorder"],
  control: ["control", "lag"],
} as const satisfies Readonly<
  Record<ReadingGroup["service"], readonly RightsHolder[]>
>;

/** Each resource once, with all that is wanted of it: the holders of one service share some. */
export function mergedRights(rights: readonly Right[]): readonly Right[] {
  const merged = new Map<string, Right>();
  for (const right of rights) {
    const key = `${right.resource} ${right.name} ${right.isPrefix}`;
    const before = merged.get(key)?.operations ?? [];
    const operations = [...new Set([...before, ...right.operations])];
    merged.set(key, { ...right, operations });
  }
  return [...merged.values()];
}

/** A right in words, such as `Write on topic postrider.attempts`. */
export function rightText(right: Right): string {
  const { operations, resource, name, isPrefix } = right;
  return `${operations.join(" and ")} on ${resource} ${name}${isPrefix ? "*" : ""}`;
}

/** For whoever runs the commands: the broker's address is a variable, without quotes, because a log line would show them escaped. */
const AS_ADMINISTRATOR =
  "--bootstrap-server $BROKER --command-config admin.properties";

/** The command that grants the right. docs/security.md, "Rights", tells what must be set before. */
export function grantCommand(right: Right, principal: string): string {
  const { operations, resource, name, isPrefix } = right;
  return [
    `kafka-acls.sh ${AS_ADMINISTRATOR} --add --allow-principal ${principal}`,
    ...operations.map((each) => `--operation ${each}`),
    `--${resource} ${name}`,
    ...(isPrefix ? ["--resource-pattern-type prefixed"] : []),
  ].join(" ");
}
