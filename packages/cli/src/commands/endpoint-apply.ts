/** `endpoints apply` and `endpoints validate`: a file says how endpoints are to be. */
import { counted } from "@postrider/core";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi } from "../api.ts";
import { applyCommand } from "../apply/apply-command.ts";
import { requireSound } from "../apply/ask-and-tell.ts";
import {
  answered,
  planned,
  requestOf,
  sayDone,
  shownStep,
  titleOf,
} from "../apply/endpoint-steps.ts";
import { planOf, type Plan } from "../apply/plan.ts";
import { command, type Run } from "../command.ts";
import { readEndpoints } from "../read-endpoints.ts";

/** The page that describes the file. */
const PAGE = "docs/endpoints.md";

export function apply(run: Run): Command {
  return applyCommand(run, {
    noun: "endpoint",
    page: PAGE,
    prunes:
      "the file's tenants' endpoints that have an external id and are not in it",
    follows: "what waits for them given up",
    stepsOf: async (path, prune) => {
      const { steps, problems } = await readPlan(path, prune);
      requireSound(path, problems);
      return steps;
    },
    shownStep,
    planned,
    requestOf,
    answered,
    titleOf,
    sayDone,
  });
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
  ).requiredOption("-f, --file <path>", `YAML or JSON; see ${PAGE}`);
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
