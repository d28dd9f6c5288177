import { integer } from "@postrider/runtime";
import { Command } from "commander";
import { command, option, type Run } from "../command.ts";
import type { TryOptions } from "../sources/try-sources.ts";

const MOST_RECORDS = 1_000;

export function sourcesCommand(run: Run): Command {
  return new Command("sources")
    .description("topics of yours that are read as they are")
    .addCommand(
      command<TryOptions>(
        run,
        "try <file>",
        "show what the last records of the topics would become, or why they would be refused; commits nothing, joins no group (FILE -: stdin)",
        async (given) =>
          await (await import("../sources/try-sources.ts")).trySources(given),
      )
        .option("--topic <name>", "of this source alone (default: of each)")
        .option(
          "--last <n>",
          "so many records of each topic (default: 10)",
          option(integer(1, MOST_RECORDS)),
        )
        .option("--ndjson", "a line of JSON for each record"),
    );
}
