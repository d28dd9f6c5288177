/** What the numbers of `GET /v1/system` mean, for people. Pure. */
import type { Stage, SystemProcess } from "../api/answers-system.ts";
import { counted } from "./amounts.ts";

export type Tone = "ok" | "bad" | "wait" | "idle";

/** A number of records, and a dash for one that is not known. */
export function shownCount(count: number | null): string {
  return count === null ? "–" : count.toLocaleString("en");
}

/** How a stage is served. */
export function stageState({
  state,
  members,
}: Pick<Stage, "state" | "members">): readonly [tone: Tone, word: string] {
  switch (state) {
    case "stable":
      return ["ok", `Served by ${members.length}`];
    case "rebalancing":
      return ["wait", "Rebalancing"];
    case "empty":
      return ["bad", "No member"];
    case "none":
      return ["bad", "Never joined"];
    default:
      return ["wait", "Not known"];
  }
}

/** The versions that run, each once; null stands for one that is not told. */
export function versionsOf(
  members: readonly Pick<SystemProcess, "version">[],
): readonly (string | null)[] {
  return [...new Set(members.map(({ version }) => version))].toSorted((a, b) =>
    (a ?? "").localeCompare(b ?? "", "en", { numeric: true }),
  );
}

/** What runs, in a sentence. */
export function versionSentence(processes: readonly SystemProcess[]): string {
  const versions = versionsOf(processes);
  const known = versions.map((version) => version ?? "one that does not tell");
  if (processes.length === 0) return "No process is seen.";
  return versions.length === 1
    ? `${counted(processes.length, "process", "processes")} of version ${known[0]}.`
    : `${counted(processes.length, "process", "processes")} of ${versions.length} versions: ${known.join(", ")}.`;
}
