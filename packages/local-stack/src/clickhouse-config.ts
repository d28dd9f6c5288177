/** What a local ClickHouse is configured with: users, which the engine cannot make by SQL but reads from a file, with their grants; and its log of queries. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouseUser, StackOptions } from "./stack.ts";

/** Writes the files into the folder. Returns the engine's arguments for them; none where nothing is asked for. */
export function configArguments(
  dir: string,
  options: Pick<StackOptions, "clickhouseUsers" | "clickhouseQueryLog">,
): string[] {
  const { clickhouseUsers: users, clickhouseQueryLog: hasLog } = options;
  const settings = [
    ...(users === undefined
      ? []
      : [`<users_config>${escaped(usersFile(dir, users))}</users_config>`]),
    ...(hasLog
      ? [
          "<query_log><database>system</database><table>query_log</table></query_log>",
        ]
      : []),
  ];
  if (settings.length === 0) return [];
  const config = join(dir, "config.xml");
  writeFileSync(config, `<clickhouse>${settings.join("")}</clickhouse>\n`);
  return [`--config-file=${config}`];
}

/** The path of a file with these users. `default` stays: it has no password and may do everything. */
function usersFile(
  dir: string,
  users: Readonly<Record<string, ClickHouseUser>>,
): string {
  const file = join(dir, "users.xml");
  writeFileSync(
    file,
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
  return file;
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
