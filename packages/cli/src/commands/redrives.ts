/** `deliveries redrive` and `dead-letters redrive`: shorthands for `replay create`. */
import type { Command } from "commander";
import { command, type Run } from "../command.ts";
import { makeReplay, type Making } from "./make-replay.ts";
import {
  selectionOf,
  withDeadLetters,
  type Selecting,
} from "../replay-selection.ts";
import { withMaking } from "./replay.ts";

export function redriveDelivery(run: Run): Command {
  const made = command<Making & { delivered?: boolean }>(
    run,
    "redrive <id>",
    "send one past delivery again",
    async ({ args, options, terminal }) =>
      await makeReplay(
        selectionOf({
          delivery: args,
          status: options.delivered ? ["expired", "delivered"] : ["expired"],
        }),
        options,
        terminal,
      ),
  ).option("--delivered", "also if it was delivered");
  return withMaking(made);
}

export function redriveDeadLetters(run: Run): Command {
  const made = command<Selecting & Making>(
    run,
    "redrive",
    "send again what was given up and not delivered since",
    async ({ options: { since, until, ...options }, terminal }) =>
      await makeReplay(
        selectionOf({ ...options, deadSince: since, deadUntil: until }),
        options,
        terminal,
      ),
  );
  return withMaking(withDeadLetters(made));
}
