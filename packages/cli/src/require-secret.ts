import { secretProblem } from "@postrider/core";
import { CliError, EXIT } from "./cli-error.ts";

/** Refuses a `--secret` that breaks the rule, before anything is sent. Not an option parser, because commander's error would print the secret. */
export function requireSecret(secret: string): void {
  const problem = secretProblem("--secret", secret);
  if (problem === undefined) return;
  throw new CliError(EXIT.usage, "This --secret cannot be used.", {
    why: problem.message,
  });
}
