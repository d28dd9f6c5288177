import { visible, type Terminal } from "../terminal.ts";
import type { Finding } from "./finding.ts";

const STYLE = { ok: "green", warning: "yellow", failed: "red" } as const;

/** A line for each finding, and one for what to do where something is wrong. */
export function renderFindings(
  findings: readonly Finding[],
  terminal: Terminal,
): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return findings
    .flatMap(({ check, state, detail, next }) => [
      `${terminal.paint(STYLE[state], state.padEnd("warning".length))}  ${visible(check).padEnd(width)}  ${visible(detail)}`,
      ...(next === null ? [] : [`         next: ${next}`]),
    ])
    .join("\n");
}
