/** Users of a local ClickHouse. The engine cannot make them by SQL, but reads them from a file, with their grants. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouseUser } from "./stack.ts";

/** Writes the files into the folder. Returns the engine's arguments for them. `default` stays: it has no password and may do everything. */
export function usersArguments(
  dir: string,
  users: Readonly<Record<string, ClickHouseUser>>,
): string[] {
  const usersFile = join(dir, "users.xml");
  writeFileSync(
    usersFile,
    `<clickhouse>
<profiles><default/></profiles><quotas><default/></quotas>
<users>
${user("default", { password: "", grants: null })}
${Object.entries(users)
  .map(([name, one]) => user(name, one))
  .join("\n")}
</users>
</clickhouse>
`,
    { mode: 0o600 },
  );
  const config = join(dir, "config.xml");
  writeFileSync(
    config,
    `<clickhouse><users_config>${escaped(usersFile)}</users_config></clickhouse>\n`,
  );
  return [`--config-file=${config}`];
}

function user(
  name: string,
  of: { readonly password: string; readonly grants: readonly string[] | null },
): string {
  const grants = of.grants
    ?.map((grant) => `<query>${escaped(grant)}</query>`)
    .join("");
  return `<${name}><password>${escaped(of.password)}</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>${grants === undefined ? "" : `<grants>${grants}</grants>`}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
