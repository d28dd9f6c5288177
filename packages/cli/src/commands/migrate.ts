import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { command, type Run } from "../command.ts";
import { migrate } from "../processes/migrate.ts";

export function migrateCommand(run: Run): Command {
  return command(
    run,
    "migrate",
    "bring ClickHouse's tables up to date; running it again changes nothing",
    async ({ terminal }) => {
      const address = findAddresses().clickhouse();
      const output = await migrate(address);
      terminal.data({ ok: true, database: address.database }, () =>
        output.trim() === ""
          ? `${address.database} is up to date.`
          : output.trimEnd(),
      );
    },
  );
}
