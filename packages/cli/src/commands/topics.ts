import { integer } from "@postrider/runtime";
import { Command } from "commander";
import { command, option, type Run } from "../command.ts";
import type { PlanOptions } from "../topics/topic-plan.ts";
import type { TailOptions } from "../topics/topic-tail.ts";

export function topicsCommand(run: Run): Command {
  return new Command("topics")
    .description("the Kafka topics that Postrider lives on")
    .addCommand(
      withPartitions(
        command<PlanOptions>(
          run,
          "plan",
          "what `apply` would change",
          async (given) =>
            await (await import("../topics/topic-plan.ts")).plan(given),
        ),
      ),
    )
    .addCommand(
      withPartitions(
        command<PlanOptions>(
          run,
          "apply",
          "create what is missing, put settings right; never takes anything away, and grows nothing without --grow",
          async (given) =>
            await (await import("../topics/topic-plan.ts")).apply(given),
        ),
      ),
    )
    .addCommand(tail(run));
}

function withPartitions(made: Command): Command {
  return made
    .option(
      "--partitions <n>",
      "of each new topic but the tiers, control and schemas (default: 12; 4 beside `dev`)",
      option(integer(1, 1_000)),
    )
    .option(
      "--grow",
      "also add partitions to existing topics; keys then move, so repeats can be delivered twice",
    );
}

function tail(run: Run): Command {
  return command<TailOptions>(
    run,
    "tail <name>",
    "print a topic's records as they come, decoded; NAME is below the prefix, e.g. attempts",
    async (given) =>
      await (await import("../topics/topic-tail.ts")).tail(given),
  )
    .option("--from-beginning", "also the records that are there already")
    .option("--limit <n>", "end after so many", option(integer(1, 1e9)));
}
