/** `audit list`: who changed what, and why. */
import { Command } from "commander";
import type { Run } from "../command.ts";
import { listCommand } from "../lists/list-command.ts";
import { cell, TIMES, type ListSpec } from "../lists/list-spec.ts";
import { whatChanged } from "../what-changed.ts";

const AUDIT: ListSpec = {
  path: "/v1/audit",
  field: "entries",
  filters: [
    [
      "--subject <kind>",
      "subject",
      "endpoint, key, replay, event_type or type_policy; several with commas",
    ],
    [
      "--id <id>",
      "subjectId",
      "of one of them; of an event type its name, of a policy its tenant",
    ],
    [
      "--actor <key>",
      "actor",
      "by this key; admin: by POSTRIDER_ADMIN_KEY, postrider: by itself",
    ],
    ["--tenant <id>", "tenantId", "of this tenant"],
    [
      "--action <action>",
      "action",
      "created, changed, paused, deleted, …; several with commas",
    ],
    ...TIMES,
  ],
  header: ["at", "actor", "tenant", "subject", "id", "action", "why", "what"],
  cellsOf: (row) => [
    cell(row["at"]),
    cell(row["actor"]),
    cell(row["tenantId"]),
    cell(row["subject"]),
    cell(row["subjectId"]),
    cell(row["action"]),
    cell(row["why"]),
    whatChanged(row["detail"]),
  ],
};

export function auditCommand(run: Run): Command {
  return new Command("audit")
    .description("who changed what, and why")
    .addCommand(
      listCommand(
        run,
        AUDIT,
        "the changes of endpoints, keys, replays and event types, newest first; kept for 30 days",
      ),
    );
}
