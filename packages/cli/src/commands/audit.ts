/** `audit list`: who changed what, and why. */
import { integer, oneOf } from "@postrider/runtime";
import { Command } from "commander";
import { auditTable, type AuditPage } from "../audit-table.ts";
import { command, option, type Run } from "../command.ts";
import { call } from "./endpoint-requests.ts";

interface Asked {
  readonly subject?: string;
  readonly id?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly action?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export function auditCommand(run: Run): Command {
  return new Command("audit")
    .description("who changed what, and why")
    .addCommand(list(run));
}

function list(run: Run): Command {
  return command<Asked>(
    run,
    "list",
    "the changes of endpoints, keys and replays, newest first; kept for 30 days",
    async ({ options, terminal }) => {
      const page = await call<AuditPage>({
        method: "GET",
        path: `/v1/audit${queryOf(options)}`,
      });
      terminal.data(page, () => auditTable(page, terminal));
      if (page.nextCursor !== null)
        terminal.say(
          `There are older ones. Repeat the command with: --cursor ${page.nextCursor}`,
        );
    },
  )
    .option(
      "--subject <kind>",
      "endpoint, key or replay",
      option(oneOf(["endpoint", "key", "replay"])),
    )
    .option("--id <id>", "of one endpoint, key or replay")
    .option(
      "--actor <key>",
      "by this key; admin: by POSTRIDER_ADMIN_KEY, postrider: by itself",
    )
    .option("--tenant <id>", "only this tenant's")
    .option("--action <action>", "created, changed, paused, deleted, …")
    .option("--since <time>", "RFC 3339, or how long ago, such as 6h")
    .option("--until <time>", "this moment excluded")
    .option(
      "--limit <n>",
      "how many at most (default: 100)",
      option(integer(1, 1_000)),
    )
    .option("--cursor <cursor>", "what is older than the list before");
}

function queryOf({ id, ...asked }: Asked): string {
  const query = new URLSearchParams();
  const { subject, actor, tenant, action, since, until, limit, cursor } = asked;
  for (const [name, value] of Object.entries({
    subject,
    subjectId: id,
    actor,
    tenantId: tenant,
    action,
    since,
    until,
    limit,
    cursor,
  }))
    if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? "" : `?${query.toString()}`;
}
