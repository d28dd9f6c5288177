import { join } from "node:path";
import type { Command } from "commander";
import { command, type Run } from "../command.ts";
import { lockDevFolder } from "../dev-folder.ts";

export function devCommand(run: Run): Command {
  return command(
    run,
    "dev",
    "run Kafka, ClickHouse and all services on this machine, until Ctrl-C; data stay in .postrider",
    async ({ terminal }) => {
      const folder = join(process.cwd(), ".postrider");
      const unlock = lockDevFolder(folder);
      try {
        const { runDev } = await import("../dev/run-dev.ts"); // loaded here only: Kafka's client and the stack, which other commands do not need
        return await runDev(folder, terminal);
      } finally {
        unlock();
      }
    },
  );
}
