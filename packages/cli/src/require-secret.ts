import { secretProblem } from "@postrider/core";
import { CliError, EXIT } from "./cli-error.ts";

/** A `--secret` that breaks the rule is refused at once. Not an option parser: commander's refusal would repeat the secret. */
export function requireSecret(secret: string): void {
  const problem = secretProblem("--secret", secret);
  if (problem === undefined) return;
  throw new CliError(EXIT.usage, "This --secret cannot be used.", {
    why: problem.message,
  });
}
