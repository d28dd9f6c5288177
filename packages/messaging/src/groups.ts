/**
 * The groups in which the services read topics, and what each reads: the one list from which come the services' group ids, their rights, and
 * every look at what is not done yet. A group of one process (`endpoints.table.…`) is not among them: whatever it has not read is no work.
 */
const GROUPS = {
  route: { service: "ingest", topics: ["events"] },
  dispatcher: { service: "dispatcher", topics: ["deliveries"] },
  "retry-scheduler": { service: "retry-scheduler", topics: "tiers" },
  "recorder.intake": { service: "recorder", topics: ["intake"] },
  "recorder.attempts": { service: "recorder", topics: ["attempts"] },
  "recorder.dead-letters": { service: "recorder", topics: ["dead-letters"] },
  "recorder.signals": { service: "recorder", topics: ["signals"] },
  "recorder.audit": { service: "recorder", topics: ["audit"] },
  "control-signals": { service: "control", topics: ["signals"] },
} as const;

export type GroupName = keyof typeof GROUPS;

/** Names are without the prefix. */
export interface ReadingGroup {
  readonly name: GroupName;
  readonly service: (typeof GROUPS)[GroupName]["service"];
  readonly topics: readonly string[];
}

/** `tiers` are those of `parseTiers`, or any objects with the topic names. Sources are left out: each has a group of its own (`sourceGroupId`). */
export function groupsOf(
  tiers: readonly { readonly topic: string }[],
): readonly ReadingGroup[] {
  const names = Object.keys(GROUPS) as GroupName[]; // its keys are the groups
  return names.map((name) => {
    const { service, topics } = GROUPS[name];
    return {
      name,
      service,
      topics: topics === "tiers" ? tiers.map(({ topic }) => topic) : topics,
    };
  });
}

export function groupIdOf(prefix: string, name: GroupName): string {
  return `${prefix}${name}`;
}

/** The group in which the route stage reads a source: each source has its own, so that no source waits for another's topic. */
export function sourceGroupId(prefix: string, topic: string): string {
  return `${prefix}route.${topic}`;
}
