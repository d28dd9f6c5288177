import { counted } from "@postrider/core";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi, callApiForText, pathSegment } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, repeated, type Run } from "../command.ts";
import {
  createListWriter,
  csvLine,
  formOf,
  type Form,
  type FormOptions,
} from "../lists/list-output.ts";
import { cell } from "../lists/list-spec.ts";
import { table, type Terminal } from "../terminal.ts";

interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated?: boolean;
}

interface QueryOptions extends FormOptions {
  readonly saved?: string;
  readonly param?: readonly string[];
  readonly list?: boolean;
}

export function queryCommand(run: Run): Command {
  return command<QueryOptions>(
    run,
    "query [sql]",
    "ask the operator's ClickHouse, read-only: events, attempts, deliveries, dead_letters, signals, audit, endpoint_hour, tenant_minute",
    async ({ args, options, terminal }) => {
      const asked = askedFor(args[0], options);
      const form = formOf(options);
      if (asked.kind === "list") return await listSaved(form, terminal);
      const text = await callApiForText(
        findAddresses().control(),
        asked.kind === "saved"
          ? { method: "GET", path: pathOf(asked) }
          : {
              method: "POST",
              path: "/v1/query",
              body: JSON.stringify({ sql: asked.sql }),
            },
      );
      if (form === "json") return terminal.line(text);
      showAnswer(parseKeepingNumbers(text), form, terminal);
    },
  )
    .option("--list", "the saved queries, with their parameters")
    .option("--saved <name>", "ask a saved query instead of SQL of your own")
    .option(
      "--param <name=value>",
      "a parameter of the saved query; may be repeated. A time is RFC 3339, now, or how long ago: since=6h",
      repeated,
    )
    .option("--ndjson", "a line of JSON for each row")
    .option("--csv", "as RFC 4180, with a line of names");
}

type Asked =
  | { readonly kind: "sql"; readonly sql: string }
  | {
      readonly kind: "saved";
      readonly name: string;
      readonly params: URLSearchParams;
    }
  | { readonly kind: "list" };

/** Throws a usage error unless it is one of the three. */
function askedFor(
  sql: string | undefined,
  { saved, param, list }: QueryOptions,
): Asked {
  const given = [sql, saved, list].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw usage("Give one of: an SQL text, --saved NAME, --list.");
  if (saved === undefined && param !== undefined)
    throw usage("--param belongs to --saved NAME.");
  if (saved !== undefined)
    return { kind: "saved", name: saved, params: paramsOf(param ?? []) };
  return sql === undefined ? { kind: "list" } : { kind: "sql", sql };
}

function usage(message: string): CliError {
  return new CliError(EXIT.usage, message, {
    next: "npx postrider query --help",
  });
}

/** What a value must be is for control to say, which has the saved queries. */
function paramsOf(given: readonly string[]): URLSearchParams {
  const params = new URLSearchParams();
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1)
      throw usage(`--param must be name=value; got ${JSON.stringify(text)}.`);
    params.append(text.slice(0, at), text.slice(at + 1));
  }
  return params;
}

function pathOf({ name, params }: Extract<Asked, { kind: "saved" }>): string {
  const query = params.size === 0 ? "" : `?${params.toString()}`;
  return `/v1/queries/${pathSegment(name)}${query}`;
}

type SavedQuery = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly title: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly default: string | null;
  }[];
};

async function listSaved(form: Form, terminal: Terminal): Promise<void> {
  const answer = (await callApi(findAddresses().control(), {
    method: "GET",
    path: "/v1/queries",
  })) as { readonly queries: readonly SavedQuery[] }; // this is what control's API answers
  if (form === "json") return terminal.line(JSON.stringify(answer));
  const list = {
    field: "queries",
    header: ["name", "question", "parameters"],
    cellsOf: (row: object) => {
      const { name, title, parameters } = row as SavedQuery; // only these are given to it
      const defaults = parameters.map(
        (each) => `${each.name}=${each.default ?? "(required)"}`,
      );
      return [name, title, defaults.join(" ")];
    },
  };
  createListWriter(list, form, terminal).page(answer.queries);
}

/** Columns by their place, not by name: two may have the same. In a line of JSON the last of these is left. */
function showAnswer(
  answer: QueryAnswer,
  form: Exclude<Form, "json">,
  terminal: Terminal,
): void {
  const names = answer.columns.map(({ name }) => name);
  switch (form) {
    case "table":
      terminal.line(
        table(
          names,
          answer.rows.map((row) => row.map(tableCell)),
          terminal,
        ),
      );
      break;
    case "csv":
      for (const row of [names, ...answer.rows])
        csvLine(row.map(cell), terminal);
      break;
    case "ndjson":
      for (const row of answer.rows)
        terminal.line(
          JSON.stringify(
            Object.fromEntries(names.map((name, at) => [name, row[at]])),
          ),
        );
  }
  const count = answer.rows.length;
  const cut = answer.truncated === true ? ", and there were more" : "";
  terminal.say(terminal.paintTalk("dim", `${counted(count, "row")}${cut}`));
}

/** Parses the answer but keeps numbers as ClickHouse wrote them, which `JSON.stringify` then writes: a JavaScript number cannot hold every 64-bit integer. */
function parseKeepingNumbers(text: string): QueryAnswer {
  const { rawJSON } = JSON as unknown as {
    readonly rawJSON: (text: string) => unknown; // Node has it; TypeScript does not know it yet
  };
  const keep = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && context?.source !== undefined
      ? rawJSON(context.source)
      : value;
  return JSON.parse(text, keep) as QueryAnswer; // this is what control's API answers
}

function tableCell(value: unknown): string {
  return value === null || value === undefined ? "NULL" : cell(value);
}
