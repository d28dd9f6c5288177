import { counted } from "@postrider/core";
import { integer } from "@postrider/runtime";
import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { createListWriter, formOf, type FormOptions } from "./list-output.ts";
import { pagesOf } from "./list-pages.ts";
import { parametersOf, withFilters, type ListSpec } from "./list-spec.ts";

interface ListOptions extends FormOptions {
  readonly limit?: number;
  readonly all?: boolean;
  readonly cursor?: string;
}

const USUAL_LIMIT = 50;

/** `list` of a list of the API: filtered, from new to old, page after page. */
export function listCommand(
  run: Run,
  list: ListSpec,
  description: string,
): Command {
  const made = command<ListOptions>(
    run,
    "list",
    description,
    async ({ options, terminal }) => {
      const form = formOf(options);
      const limit = limitOf(options);
      const parameters = parametersOf(list.filters, { ...options });
      if (options.cursor !== undefined)
        parameters.set("cursor", options.cursor);
      const writer = createListWriter(list, form, terminal);
      let count = 0;
      let rest: string | null = null;
      const control = findAddresses().control();
      try {
        const pages = pagesOf(control, list, { parameters, limit });
        for await (const page of pages) {
          writer.page(page.rows);
          count += page.rows.length;
          rest = page.nextCursor;
        }
      } catch (error) {
        // --json writes at the end, so there is nothing to go on from.
        if (rest !== null && form !== "json")
          terminal.say(
            `${counted(count, "row")} so far; go on with --cursor ${rest}`,
          );
        throw error;
      }
      writer.end(rest);
      const more =
        rest === null ? "" : `; there may be more: --all, or --cursor ${rest}`;
      terminal.say(
        terminal.paintTalk("dim", `${counted(count, "row")}${more}`),
      );
    },
  );
  return withFilters(made, list.filters)
    .option(
      "--limit <n>",
      `so many rows at most (default: ${USUAL_LIMIT})`,
      option(integer(1, 1e9)),
    )
    .option("--all", "every row, page after page")
    .option("--cursor <cursor>", "go on where a list ended (its nextCursor)")
    .option("--ndjson", "a line of JSON for each row")
    .option("--csv", "as RFC 4180, with a line of names");
}

function limitOf({ limit, all }: ListOptions): number {
  if (all !== true) return limit ?? USUAL_LIMIT;
  if (limit === undefined) return Infinity;
  throw new CliError(EXIT.usage, "--all and --limit exclude each other.", {
    next: "Give --limit N for the newest N rows, or --all for all of them.",
  });
}
