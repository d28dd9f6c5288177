/** `event-types apply`: a file says what types there are. */
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
import { planLines, stepLines, summaryOf } from "../apply/plan-lines.ts";
import {
  answered,
  planned,
  requestOf,
  shownStep,
  titleOf,
  typeSteps,
} from "../apply/type-steps.ts";
import { command, type Run } from "../command.ts";
import { readEventTypes } from "../event-types.ts";
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
    "make the event types as a file says; what is so already is not written",
    async ({ options, terminal }) => {
      // Only here: no other command should wait until the libraries of YAML and of schemas are loaded.
      const { readTypesFile } = await import("../apply/types-file.ts");
      const file = readTypesFile(options.file);
      requireSound(options.file, file.problems);
      const control = findAddresses().control();
      const stored = await readEventTypes(control);
      const steps = typeSteps(file, stored, options.prune === true);
      if (options.dryRun === true) {
        terminal.data({ dryRun: true, outcomes: steps.map(planned) }, () =>
          planLines(steps.map(shownStep), terminal),
        );
        return terminal.say(summaryOf(steps, "event type"));
      }
      const deletions = steps.filter(({ kind }) => kind === "delete");
      if (deletions.length > 0 && options.yes !== true) {
        terminal.say(planLines(deletions.map(shownStep), terminal));
        const what = counted(deletions.length, "event type");
        const follows = "events of tenants that are held to them refused";
        await confirmDeletion({ what, follows }, terminal);
      }
      const carried = await carryOut(steps, {
        planned,
        requestOf,
        answered,
        call: (request) => callApi(control, request),
        headers: whyHeader(options),
        done(step, { outcome, error }) {
          if (terminal.json) return;
          terminal.line(stepLines(shownStep(step), terminal));
          if (outcome === "refused")
            terminal.say(`    refused: ${error ?? ""}`);
        },
      });
      const { outcomes } = carried;
      if (terminal.json) terminal.data({ dryRun: false, outcomes }, () => "");
      else terminal.say(countsOf(outcomes));
      requireAll(carried, { noun: "event type", titleOf });
    },
  )
    .requiredOption("-f, --file <path>", "YAML or JSON; see docs/publishing.md")
    .option("--dry-run", "show what would be done, and do nothing")
    .option(
      "--prune",
      "delete the types of the file's tenants that are not in it; without a tenant, every tenant's",
    )
    .option("--yes", "do not ask before deletions");
  return withWhy(made);
}
