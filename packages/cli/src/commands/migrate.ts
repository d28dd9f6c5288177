import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { tenantUserStatements } from "@postrider/runtime";
import { command, type Run } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { migrate } from "../processes/migrate.ts";

export function migrateCommand(run: Run): Command {
  return command<{ printTenantUser?: boolean }>(
    run,
    "migrate",
    "bring ClickHouse's tables up to date; running it again changes nothing",
    async ({ options, terminal }) => {
      if (options.printTenantUser === true) return printTenantUser(terminal);
      const address = findAddresses().clickhouse();
      const output = await migrate(address);
      terminal.data({ ok: true, database: address.database }, () =>
        output.trim() === ""
          ? `${address.database} is up to date.`
          : output.trimEnd(),
      );
    },
  ).option(
    "--print-tenant-user",
    "print the statements that make the tenants' user, and change nothing",
  );
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
