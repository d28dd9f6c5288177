/** The command `apply` of every kind of thing that a file can list: reads, compares, asks before deletions, carries out and tells. */
import { counted } from "@postrider/core";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi, type ApiRequest } from "../api.ts";
import { command, type Run } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import {
  confirmDeletion,
  countsOf,
  requireAll,
  type Told,
} from "./ask-and-tell.ts";
import { carryOut } from "./carry-out.ts";
import {
  planLines,
  stepLines,
  summaryOf,
  type ShownStep,
  type StepKind,
} from "./plan-lines.ts";

interface Given extends Why {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly yes?: boolean;
}

/** What one kind of thing has of its own. `S` is a step, `O` how it went, as `--json` prints it. */
export interface Applied<
  S extends { readonly kind: StepKind },
  O extends Told,
> {
  /** One of them: `endpoint`. */
  readonly noun: string;
  /** The page that describes the file. */
  readonly page: string;
  /** What `--prune` deletes. */
  readonly prunes: string;
  /** What follows from a deletion, as in "would be deleted, and …". */
  readonly follows: string;
  /** Throws `CliError` with every problem of the file, before anything is written. */
  readonly stepsOf: (path: string, prune: boolean) => Promise<readonly S[]>;
  readonly shownStep: (step: S) => ShownStep;
  readonly planned: (step: S) => O;
  readonly requestOf: (step: S) => ApiRequest | null;
  readonly answered: (planned: O, answer: unknown) => O;
  readonly titleOf: (outcome: O) => string;
  /** Says more of a step that was done. */
  readonly sayDone?: (step: S, outcome: O, terminal: Terminal) => void;
}

export function applyCommand<
  S extends { readonly kind: StepKind },
  O extends Told,
>(run: Run, of: Applied<S, O>): Command {
  const made = command<Given>(
    run,
    "apply",
    `make the ${of.noun}s as a file says; what is so already is not written`,
    async ({ options, terminal }) => {
      const steps = await of.stepsOf(options.file, options.prune === true);
      if (options.dryRun === true) return showPlan(steps, of, terminal);
      if (options.yes !== true) await confirmDeletions(steps, of, terminal);
      const control = findAddresses().control();
      const carried = await carryOut(steps, {
        planned: of.planned,
        requestOf: of.requestOf,
        answered: of.answered,
        call: (request) => callApi(control, request),
        headers: whyHeader(options),
        done: (step, outcome) => show(step, outcome, of, terminal),
      });
      const { outcomes } = carried;
      if (terminal.json) terminal.data({ dryRun: false, outcomes }, () => "");
      else terminal.say(countsOf(outcomes));
      requireAll(carried, of);
    },
  )
    .requiredOption("-f, --file <path>", `YAML or JSON; see ${of.page}`)
    .option("--dry-run", "show what would be done, and do nothing")
    .option("--prune", `delete ${of.prunes}`)
    .option("--yes", "do not ask before deletions");
  return withWhy(made);
}

function showPlan<S extends { readonly kind: StepKind }, O extends Told>(
  steps: readonly S[],
  of: Applied<S, O>,
  terminal: Terminal,
): void {
  terminal.data({ dryRun: true, outcomes: steps.map(of.planned) }, () =>
    planLines(steps.map(of.shownStep), terminal),
  );
  terminal.say(summaryOf(steps, of.noun));
}

async function confirmDeletions<
  S extends { readonly kind: StepKind },
  O extends Told,
>(steps: readonly S[], of: Applied<S, O>, terminal: Terminal): Promise<void> {
  const deletions = steps.filter(({ kind }) => kind === "delete");
  if (deletions.length === 0) return;
  terminal.say(planLines(deletions.map(of.shownStep), terminal));
  const what = counted(deletions.length, of.noun);
  await confirmDeletion({ what, follows: of.follows }, terminal);
}

function show<S extends { readonly kind: StepKind }, O extends Told>(
  step: S,
  outcome: O,
  of: Applied<S, O>,
  terminal: Terminal,
): void {
  if (terminal.json) return;
  terminal.line(stepLines(of.shownStep(step), terminal));
  if (outcome.outcome === "refused")
    terminal.say(`    refused: ${outcome.error ?? ""}`);
  else if (outcome.outcome === "done") of.sayDone?.(step, outcome, terminal);
}
