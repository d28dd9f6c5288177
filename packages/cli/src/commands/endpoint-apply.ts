/** `endpoints apply` and `endpoints validate`: a file says how endpoints are to be. */
import { counted } from "@postrider/core";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi } from "../api.ts";
import {
  confirmDeletion,
  countsOf,
  requireAll,
  requireSound,
} from "../apply/ask-and-tell.ts";
import { carryOut } from "../apply/carry-out.ts";
import {
  answered,
  planned,
  requestOf,
  shownStep,
  type Outcome,
} from "../apply/endpoint-steps.ts";
import { planOf, type Plan, type Step } from "../apply/plan.ts";
import { planLines, stepLines, summaryOf } from "../apply/plan-lines.ts";
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
      const { prune = false } = options;
      const { steps, problems } = await readPlan(options.file, prune);
      requireSound(options.file, problems);
      if (options.dryRun === true) return showPlan(steps, terminal);
      const deletions = steps.filter(({ kind }) => kind === "delete");
      if (deletions.length > 0 && options.yes !== true) {
        terminal.say(planLines(deletions.map(shownStep), terminal));
        await confirmDeletion(
          {
            what: counted(deletions.length, "endpoint"),
            follows: "what waits for them given up",
          },
          terminal,
        );
      }
      const control = findAddresses().control();
      const carried = await carryOut(steps, {
        planned,
        requestOf,
        answered,
        call: (request) => callApi(control, request),
        headers: whyHeader(options),
        done: (step, outcome) => show(step, outcome, terminal),
      });
      const { outcomes } = carried;
      if (terminal.json) terminal.data({ dryRun: false, outcomes }, () => "");
      else terminal.say(countsOf(outcomes));
      requireAll(carried, {
        noun: "endpoint",
        titleOf: ({ tenantId, externalId }) => `${tenantId}/${externalId}`,
      });
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
      const { steps, problems } = await readPlan(options.file, false);
      const checked = counted(steps.length, "endpoint");
      const verb = steps.length === 1 ? "was" : "were";
      requireSound(options.file, problems, `${checked} ${verb} checked`);
      terminal.data(
        { isValid: true, endpoints: steps.length },
        () => `${checked}, nothing to refuse.`,
      );
    },
  ).requiredOption("-f, --file <path>", "YAML or JSON; see docs/endpoints.md");
}

/** The plan with every problem of the file; nothing is written. */
async function readPlan(path: string, prune: boolean): Promise<Plan> {
  // Only here: no other command should wait until the YAML library is loaded.
  const { readEndpointsFile } = await import("../apply/endpoints-file.ts");
  const file = readEndpointsFile(path, process.env);
  const control = findAddresses().control();
  return await planOf(file, {
    stored: (tenantId) => readEndpoints(control, { tenantId }),
    call: (request) => callApi(control, request),
    prune,
  });
}

function showPlan(steps: readonly Step[], terminal: Terminal): void {
  const outcomes = steps.map(planned);
  terminal.data({ dryRun: true, outcomes }, () =>
    planLines(steps.map(shownStep), terminal),
  );
  terminal.say(summaryOf(steps, "endpoint"));
}

function show(
  step: Step,
  { outcome, version, error, id }: Outcome,
  terminal: Terminal,
): void {
  if (terminal.json) return;
  terminal.line(stepLines(shownStep(step), terminal));
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
