import { tenantUserStatements } from "@postrider/runtime";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import {
  migrate,
  printMigration,
  type ClickHouseAddress,
} from "../processes/migrate.ts";
import type { Terminal } from "../terminal.ts";

interface Options {
  readonly print?: boolean;
  readonly all?: boolean;
  readonly cluster?: string;
  readonly printTenantUser?: boolean;
}

export function migrateCommand(run: Run): Command {
  return command<Options>(
    run,
    "migrate",
    "bring ClickHouse's tables up to date; running it again changes nothing",
    async ({ options, terminal }) => {
      if (options.printTenantUser === true) return printTenantUser(terminal);
      const { print, all, cluster } = options;
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
    )
    .option(
      "--print-tenant-user",
      "print the statements that make the tenants' user, and change nothing",
    );
}

/** No address is needed; the database of the environment counts here, too. */
function notAsked(env: NodeJS.ProcessEnv): ClickHouseAddress {
  const database = env["POSTRIDER_CLICKHOUSE_DATABASE"] || "postrider";
  return { url: "", database };
}

/** For an administrator to run: control's own user may not make users. Needs no ClickHouse. */
function printTenantUser(terminal: Terminal): void {
  const statements = tenantUserStatements({
    database: process.env["POSTRIDER_CLICKHOUSE_DATABASE"] || "postrider",
    user: process.env["CLICKHOUSE_TENANT_USER"] || "postrider_tenant",
  });
  terminal.data({ statements }, () =>
    statements.map((statement) => `${statement};`).join("\n"),
  );
}
