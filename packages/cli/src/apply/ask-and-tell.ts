/** What every `apply` asks before deletions, and tells at its end. */
import { createInterface } from "node:readline/promises";
import { counted } from "@postrider/core";
import { CliError, EXIT } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";
import type { Carried, CarriedOut } from "./carry-out.ts";
import { problemLine, type FileProblem } from "./file-problem.ts";
import type { StepKind } from "./plan-lines.ts";

/** An outcome, as far as it is told. */
export interface Told extends Carried {
  readonly action: StepKind;
}

/** Throws with every problem of a file, before anything is written. `done`: what was done instead, as a sentence's end. */
export function requireSound(
  path: string,
  problems: readonly FileProblem[],
  done = "nothing was written",
): void {
  if (problems.length === 0) return;
  throw new CliError(
    EXIT.refused,
    `${path} has ${counted(problems.length, "problem")}; ${done}.`,
    { why: problems.map(problemLine).join("\n"), facts: { problems } },
  );
}

/** Where the user is asked. */
export interface Asking {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Throws unless the user says yes. `what`: such as `3 endpoints`. */
export async function confirmDeletion(
  of: { readonly what: string; readonly follows: string },
  terminal: Pick<Terminal, "json">,
  { input, output }: Asking = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (terminal.json || !input.isTTY || !output.isTTY)
    throw new CliError(EXIT.usage, "Nobody is there to be asked.", {
      why: `${of.what} would be deleted, and ${of.follows}.`,
      next: "The same command with --yes; or first with --dry-run",
    });
  const lines = createInterface({ input, output });
  try {
    const answer = await lines.question(`Delete ${of.what}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } catch (error) {
    const { name } = error as { readonly name?: unknown }; // an error, whatever it is
    if (name !== "AbortError") throw error; // that is Ctrl-C or Ctrl-D
  } finally {
    lines.close();
  }
  throw new CliError(EXIT.refused, "Nothing was done: it was not confirmed.");
}

export function countsOf(outcomes: readonly Told[]): string {
  const count = (action: StepKind): number =>
    outcomes.filter((each) => each.action === action && each.outcome === "done")
      .length;
  const unchanged = outcomes.filter(({ action }) => action === "unchanged");
  return `${count("create")} created, ${count("change")} changed, ${count("delete")} deleted, ${unchanged.length} unchanged.`;
}

/** Throws where something was refused. Where control could not be reached, the exit code says that: what is left may be right. */
export function requireAll<O extends Told>(
  { outcomes, isCutOff }: CarriedOut<O>,
  of: { readonly noun: string; readonly titleOf: (outcome: O) => string },
): void {
  const refused = outcomes.filter(({ outcome }) => outcome === "refused");
  if (refused.length === 0) return;
  const isKept = outcomes.some(
    ({ action, outcome }) => action === "delete" && outcome === "planned",
  );
  throw new CliError(
    isCutOff ? EXIT.unreachable : EXIT.refused,
    `${counted(refused.length, of.noun)} could not be made as the file says.${isKept ? " What was left to delete was kept." : ""}${isCutOff ? " What came after was not tried." : ""}`,
    {
      why: refused
        .map((one) => `${of.titleOf(one)}: ${one.error ?? ""}`)
        .join("\n"),
      next: "The same command again: it does only what is left.",
    },
  );
}
