import { secretProblem, verifierProblem, type Problem } from "@postrider/core";
import { CliError, EXIT } from "./cli-error.ts";

/** Refuses a `--secret` that breaks the rule, before anything is sent. Not an option parser, because commander's error would print the secret. */
export function requireSecret(secret: string): void {
  refuse(secretProblem("--secret", secret));
}

/** As `requireSecret`, for what signatures are checked with: a public key is allowed, too. */
export function requireVerifier(secret: string): void {
  refuse(verifierProblem("--secret", secret));
}

function refuse(problem: Problem | undefined): void {
  if (problem === undefined) return;
  throw new CliError(EXIT.usage, "This --secret cannot be used.", {
    why: problem.message,
  });
}
