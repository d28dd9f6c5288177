import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { command, type Run } from "../command.ts";
import { explainLines } from "../explain/explain-lines.ts";
import { readExplanation } from "../explain/read-explanation.ts";
import { renderEvent } from "../publish/event-view.ts";
import { readEvent } from "../publish/read-event.ts";

export function eventsCommand(run: Run): Command {
  const get = command<{ tenant?: string }>(
    run,
    "get <id>",
    "one event: what was decided, its deliveries and every attempt",
    async ({ args, options, terminal }) => {
      const event = await readEvent(findAddresses().control(), {
        id: args[0] ?? "",
        tenantId: options.tenant,
      });
      terminal.data(event, () => renderEvent(event, terminal));
    },
  ).option("--tenant <id>", "needed where several tenants use the id");
  const explain = command<{ tenant?: string }>(
    run,
    "explain <id>",
    "who got one event, who did not and why, and what to do about it",
    async ({ args, options, terminal }) => {
      const explanation = await readExplanation(findAddresses().control(), {
        id: args[0] ?? "",
        tenantId: options.tenant,
      });
      terminal.data(explanation, () => explainLines(explanation, terminal));
    },
  ).option("--tenant <id>", "needed where several tenants use the id");
  return new Command("events")
    .description("what was published")
    .addCommand(get)
    .addCommand(explain);
}
