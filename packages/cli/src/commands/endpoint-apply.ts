/** `endpoints apply` and `endpoints validate`: a file says how endpoints are to be. */
import { createInterface } from "node:readline/promises";
import { counted } from "@postrider/core";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi } from "../api.ts";
import { carryOut, planned, type Outcome } from "../apply/carry-out.ts";
import { planOf, problemLine, type Plan, type Step } from "../apply/plan.ts";
import { planLines, stepLines, summaryOf } from "../apply/plan-lines.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import { readEndpoints } from "../read-endpoints.ts";
import type { Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";

interface Given extends Why {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly yes?: boolean;
}

export function apply(run: Run): Command {
  const made = command<Given>(
    run,
    "apply",
    "make the endpoints as a file says; what is so already is not written",
    async ({ options, terminal }) => {
      const { steps } = await soundPlan(options.file, options.prune === true);
      if (options.dryRun === true) return showPlan(steps, terminal);
      const deletions = steps.filter(({ kind }) => kind === "delete");
      if (deletions.length > 0 && options.yes !== true) {
        terminal.say(planLines(deletions, terminal));
        await confirm(deletions.length, terminal);
      }
      const control = findAddresses().control();
      const outcomes = await carryOut(steps, {
        call: (request) => callApi(control, request),
        headers: whyHeader(options),
        done: (step, outcome) => show(step, outcome, terminal),
      });
      if (terminal.json) terminal.data({ dryRun: false, outcomes }, () => "");
      else terminal.say(doneOf(outcomes));
      const refused = outcomes.filter(({ outcome }) => outcome === "refused");
      if (refused.length > 0) throw notAll(refused, isKept(outcomes));
    },
  )
    .requiredOption("-f, --file <path>", "YAML or JSON; see docs/endpoints.md")
    .option("--dry-run", "show what would be done, and do nothing")
    .option(
      "--prune",
      "delete the file's tenants' endpoints that have an external id and are not in it",
    )
    .option("--yes", "do not ask before deletions");
  return withWhy(made);
}

export function validate(run: Run): Command {
  return command<{ file: string }>(
    run,
    "validate",
    "say everything that `endpoints apply` would refuse of a file",
    async ({ options, terminal }) => {
      const { steps } = await soundPlan(options.file, false);
      terminal.data(
        { isValid: true, endpoints: steps.length },
        () => `${counted(steps.length, "endpoint")}, nothing to refuse.`,
      );
    },
  ).requiredOption("-f, --file <path>", "YAML or JSON; see docs/endpoints.md");
}

/** Throws `CliError` with every problem of the file, before anything is written. */
async function soundPlan(path: string, prune: boolean): Promise<Plan> {
  // Only here: no other command should wait until the YAML library is loaded.
  const { readEndpointsFile } = await import("../apply/endpoints-file.ts");
  const file = readEndpointsFile(path, process.env);
  const control = findAddresses().control();
  const plan = await planOf(file, {
    stored: (tenantId) => readEndpoints(control, { tenantId }),
    call: (request) => callApi(control, request),
    prune,
  });
  const { problems } = plan;
  if (problems.length === 0) return plan;
  throw new CliError(
    EXIT.refused,
    `${path} has ${counted(problems.length, "problem")}; nothing was written.`,
    {
      why: problems.map(problemLine).join("\n"),
      facts: { problems },
    },
  );
}

function showPlan(steps: readonly Step[], terminal: Terminal): void {
  const outcomes = steps.map(planned);
  terminal.data({ dryRun: true, outcomes }, () => planLines(steps, terminal));
  terminal.say(summaryOf(steps));
}

function show(
  step: Step,
  { outcome, version, error, id }: Outcome,
  terminal: Terminal,
): void {
  if (terminal.json) return;
  terminal.line(stepLines(step, terminal));
  if (outcome === "refused") terminal.say(`    refused: ${error ?? ""}`);
  else if (outcome === "done" && step.kind === "create") {
    terminal.say(`    is ${id}, version ${version}`);
    if (step.wanted.body["secret"] === undefined)
      terminal.say(
        `    Its secret was made and is not shown. To get a new one: npx postrider endpoints rotate-secret ${id} --overlap 0`,
      );
  } else if (outcome === "done" && step.kind === "change")
    terminal.say(`    is version ${version} now`);
}

function doneOf(outcomes: readonly Outcome[]): string {
  const count = (action: Outcome["action"]): number =>
    outcomes.filter((each) => each.action === action && each.outcome === "done")
      .length;
  const unchanged = outcomes.filter(({ action }) => action === "unchanged");
  return `${count("create")} created, ${count("change")} changed, ${count("delete")} deleted, ${unchanged.length} unchanged.`;
}

/** Whether something was to be deleted and was not tried. */
function isKept(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(
    ({ action, outcome }) => action === "delete" && outcome === "planned",
  );
}

function notAll(
  refused: readonly Outcome[],
  areDeletionsLeft: boolean,
): CliError {
  return new CliError(
    EXIT.refused,
    `${counted(refused.length, "endpoint")} could not be made as the file says.${areDeletionsLeft ? " What was left to delete was kept." : ""}`,
    {
      why: refused
        .map(
          ({ tenantId, externalId, error }) =>
            `${tenantId}/${externalId}: ${error ?? ""}`,
        )
        .join("\n"),
      next: "The same command again: it does only what is left.",
    },
  );
}

/** Throws unless the user says yes. */
async function confirm(count: number, terminal: Terminal): Promise<void> {
  const what = counted(count, "endpoint");
  if (terminal.json || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new CliError(EXIT.usage, "Nobody is there to be asked.", {
      why: `${what} would be deleted, and what waits for them given up.`,
      next: "The same command with --yes; or first with --dry-run",
    });
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
  });
  try {
    const answer = await lines.question(`Delete ${what}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CliError(EXIT.refused, "Nothing was done: it was not confirmed.");
}
