import {
  createDatabase,
  createHistory,
  recordOf,
  statementsOf,
  type DdlTarget,
} from "./ddl.ts";
import type { Migration } from "./migration-files.ts";

/** What `migrate` would run for these migrations, as a text that `clickhouse-client --multiquery` takes. Empty where there is nothing to do. */
export function printed(
  migrations: readonly Migration[],
  target: DdlTarget,
): string {
  if (migrations.length === 0) return "";
  const statements = [
    createDatabase(target),
    createHistory(target),
    ...migrations.flatMap((migration) => [
      ...withName(migration.name, statementsOf(migration, target)),
      recordOf(migration, target),
    ]),
  ];
  return statements.map((statement) => `${statement};\n`).join("\n");
}

function withName(name: string, statements: readonly string[]): string[] {
  return statements.map((statement, at) =>
    at === 0 ? `-- ${name}\n${statement}` : statement,
  );
}
