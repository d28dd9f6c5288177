/** A request that is measured, and what it is counted under. */
import type { Scope } from "./known.ts";

/** `lists`, `timelines` and `day` have targets: `day` are the aggregates of 24 hours. `longer` are saved queries with a longer or shorter default window. */
export type Group = "lists" | "timelines" | "day" | "longer";

export interface Question {
  readonly group: Group;
  /** The same for every draw of its parameters. */
  readonly name: string;
  readonly scope: Scope;
  readonly path: string;
  /** The field of the answer in which its rows are. */
  readonly field: string;
  /** There may be none: nothing was looked up that would say so. */
  readonly mayBeEmpty: boolean;
  /** How many pages are read, each measured by itself. */
  readonly pages: number;
}

export function pathOf(
  path: string,
  query: Readonly<Record<string, string>>,
): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
}
