/** `event-types apply`: a file says what types there are. */
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { applyCommand } from "../apply/apply-command.ts";
import { requireSound } from "../apply/ask-and-tell.ts";
import {
  answered,
  planned,
  requestOf,
  shownStep,
  titleOf,
  typeSteps,
  type TypeStep,
} from "../apply/type-steps.ts";
import type { Run } from "../command.ts";
import { readEventTypes } from "../event-types.ts";

export function apply(run: Run): Command {
  return applyCommand(run, {
    noun: "event type",
    page: "docs/publishing.md",
    prunes:
      "the types of the file's tenants that are not in it; without a tenant, every tenant's",
    follows: "events of tenants that are held to them refused",
    stepsOf: soundSteps,
    shownStep,
    planned,
    requestOf,
    answered,
    titleOf,
  });
}

/** Throws `CliError` with every problem of the file. */
async function soundSteps(path: string, prune: boolean): Promise<TypeStep[]> {
  // Only here: no other command should wait until the libraries of YAML and of schemas are loaded.
  const { readTypesFile } = await import("../apply/types-file.ts");
  const file = readTypesFile(path);
  requireSound(path, file.problems);
  const stored = await readEventTypes(findAddresses().control());
  return typeSteps(file, stored, prune);
}
