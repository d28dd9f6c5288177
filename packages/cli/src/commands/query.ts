import type { Command } from "commander";
import { counted } from "@postrider/core";
import { findAddresses } from "../addresses.ts";
import { callApiForText } from "../api.ts";
import { command, type Run } from "../command.ts";
import { table } from "../terminal.ts";

interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated?: boolean;
}

export function queryCommand(run: Run): Command {
  return command(
    run,
    "query <sql>",
    "ask the operator's ClickHouse, read-only: events, attempts, deliveries, dead_letters, signals, endpoint_hour, tenant_minute",
    async ({ args, terminal }) => {
      const [sql = ""] = args;
      const text = await callApiForText(findAddresses().control(), {
        method: "POST",
        path: "/v1/query",
        body: JSON.stringify({ sql }),
      });
      if (terminal.json) return terminal.line(text);
      const answer = parseKeepingNumbers(text);
      terminal.line(
        table(
          answer.columns.map((column) => column.name),
          answer.rows.map((row) => row.map(cell)),
          terminal,
        ),
      );
      const cut = answer.truncated === true ? ", and there were more" : "";
      terminal.say(
        terminal.paintTalk(
          "dim",
          `${counted(answer.rows.length, "row")}${cut}`,
        ),
      );
    },
  );
}

/** Parses the answer but keeps numbers as the texts that ClickHouse wrote: a JavaScript number cannot hold every 64-bit integer. */
function parseKeepingNumbers(text: string): QueryAnswer {
  const keep = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" ? (context?.source ?? value) : value;
  return JSON.parse(text, keep) as QueryAnswer; // this is what control's API answers
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  return typeof value === "string" ? value : JSON.stringify(value);
}
