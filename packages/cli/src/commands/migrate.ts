import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import {
  migrate,
  printMigration,
  type ClickHouseAddress,
} from "../processes/migrate.ts";

interface Options {
  readonly print?: boolean;
  readonly all?: boolean;
  readonly cluster?: string;
}

export function migrateCommand(run: Run): Command {
  return command<Options>(
    run,
    "migrate",
    "bring ClickHouse's tables up to date; running it again changes nothing",
    async ({ terminal, options: { print, all, cluster } }) => {
      if (all === true && print !== true)
        throw new CliError(EXIT.usage, "--all is for --print.", {
          next: "npx postrider migrate --print --all",
        });
      const address =
        all === true ? notAsked(process.env) : findAddresses().clickhouse();
      const env = {
        ...process.env,
        ...(cluster !== undefined && { POSTRIDER_CLICKHOUSE_CLUSTER: cluster }),
      };
      const { database } = address;
      if (print === true) {
        const sql = await printMigration(address, { isAll: all === true, env });
        terminal.data({ ok: true, database, sql }, () =>
          sql.trim() === "" ? `-- ${database} is up to date.` : sql.trimEnd(),
        );
        return;
      }
      const output = await migrate(address, env);
      terminal.data({ ok: true, database }, () =>
        output.trim() === "" ? `${database} is up to date.` : output.trimEnd(),
      );
    },
  )
    .option("--print", "print the statements instead of running them")
    .option(
      "--all",
      "with --print: of every migration, without asking ClickHouse",
    )
    .option(
      "--cluster <name>",
      "for replicated tables on this cluster (default: POSTRIDER_CLICKHOUSE_CLUSTER)",
    );
}

/** No address is needed; the database of the environment counts here, too. */
function notAsked(env: NodeJS.ProcessEnv): ClickHouseAddress {
  const database = env["POSTRIDER_CLICKHOUSE_DATABASE"] || "postrider";
  return { url: "", database };
}
