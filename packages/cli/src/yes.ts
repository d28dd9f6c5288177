import type { Command } from "commander";

/** Commands that delete the one thing they are given the id of ask nothing. They take `--yes`, so that a script need not know which commands ask. */
export function withYes(made: Command): Command {
  return made.option("--yes", "as of other commands; this one asks nothing");
}
