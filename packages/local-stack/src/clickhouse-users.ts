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
<profiles><default/>${Object.entries(users).map(profile).join("")}</profiles><quotas><default/></quotas>
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
  of: Omit<ClickHouseUser, "grants"> & {
    readonly grants: readonly string[] | null;
  },
): string {
  const grants = of.grants
    ?.map((grant) => `<query>${escaped(grant)}</query>`)
    .join("");
  const profileName = of.settings === undefined ? "default" : name;
  return `<${name}><password>${escaped(of.password)}</password><networks><ip>::/0</ip></networks><profile>${profileName}</profile><quota>default</quota>${grants === undefined ? "" : `<grants>${grants}</grants>`}${databases(of.rowFilters ?? {})}</${name}>`;
}

/** A profile is called as its only user. */
function profile([name, { settings }]: readonly [
  string,
  ClickHouseUser,
]): string {
  if (settings === undefined) return "";
  const all = Object.entries(settings);
  const values = all.map(
    ([setting, { value }]) =>
      `<${setting}>${escaped(String(value))}</${setting}>`,
  );
  const constraints = all
    .filter(([, { min }]) => min !== undefined)
    .map(
      ([setting, { min, max }]) =>
        `<${setting}><min>${min}</min><max>${max}</max></${setting}>`,
    );
  return `<${name}>${values.join("")}<constraints>${constraints.join("")}</constraints></${name}>`;
}

function databases(filters: Readonly<Record<string, string>>): string {
  const byDatabase = Map.groupBy(
    Object.entries(filters),
    ([table]) => table.split(".")[0] ?? "",
  );
  const each = [...byDatabase].map(
    ([database, tables]) =>
      `<${database}>${tables
        .map(([table, filter]) => {
          const name = table.slice(database.length + 1);
          return `<${name}><filter>${escaped(filter)}</filter></${name}>`;
        })
        .join("")}</${database}>`,
  );
  return each.length === 0 ? "" : `<databases>${each.join("")}</databases>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
