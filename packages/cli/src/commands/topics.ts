import { integer } from "@postrider/runtime";
import { Command } from "commander";
import { command, option, type Run } from "../command.ts";
import type { PlanOptions } from "../topic-plan.ts";
import type { TailOptions } from "../topic-tail.ts";

export function topicsCommand(run: Run): Command {
  return new Command("topics")
    .description("the Kafka topics that Postrider lives on")
    .addCommand(
      withPartitions(
        command<PlanOptions>(
          run,
          "plan",
          "what `apply` would change",
          async (given) => await (await import("../topic-plan.ts")).plan(given),
        ),
      ),
    )
    .addCommand(
      withPartitions(
        command<PlanOptions>(
          run,
          "apply",
          "create what is missing, put settings right; never takes anything away",
          async (given) =>
            await (await import("../topic-plan.ts")).apply(given),
        ),
      ),
    )
    .addCommand(tail(run));
}

function withPartitions(made: Command): Command {
  return made.option(
    "--partitions <n>",
    "of each topic but the tiers, control and schemas",
    option(integer(1, 1_000)),
    12,
  );
}

function tail(run: Run): Command {
  return command<TailOptions>(
    run,
    "tail <name>",
    "print a topic's records as they come, decoded; NAME is below the prefix, e.g. attempts",
    async (given) => await (await import("../topic-tail.ts")).tail(given),
  )
    .option("--from-beginning", "also the records that are there already")
    .option("--limit <n>", "end after so many", option(integer(1, 1e9)));
}
