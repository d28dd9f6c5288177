/** Takes the place of packages/cli/src/commands/dev.ts: the servers that `dev` starts are not in the bundle. */
import type { Command } from "commander";
import { CliError, EXIT } from "../../packages/cli/src/cli-error.ts";
import { command, type Run } from "../../packages/cli/src/command.ts";

export function devCommand(run: Run): Command {
  return command(
    run,
    "dev",
    "run Kafka, ClickHouse and all services on this machine; only in a checkout of the repository",
    async () => {
      throw new CliError(
        EXIT.refused,
        "`dev` runs only in a checkout of the repository.",
        {
          why: "This is Postrider's bundle, which brings no Kafka and no ClickHouse.",
          next: "Start each service on your own: postrider start SERVICE   (after postrider topics apply and postrider migrate)",
        },
      );
    },
  );
}
