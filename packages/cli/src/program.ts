import { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import type { Run } from "./command.ts";
import { attemptsCommand } from "./commands/attempts.ts";
import { auditCommand } from "./commands/audit.ts";
import { deadLettersCommand } from "./commands/dead-letters.ts";
import { deliveriesCommand } from "./commands/deliveries.ts";
import { demoCommand } from "./commands/demo.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { endpointsCommand } from "./commands/endpoints.ts";
import { eventsCommand } from "./commands/events.ts";
import { eventTypesCommand } from "./commands/event-types.ts";
import { keysCommand } from "./commands/keys.ts";
import { listenCommand } from "./commands/listen.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { publishCommand, triggerCommand } from "./commands/publish.ts";
import { queryCommand } from "./commands/query.ts";
import { receiverCommand } from "./commands/receiver.ts";
import { replayCommand } from "./commands/replay.ts";
import { secretsCommand } from "./commands/secrets.ts";
import { sourcesCommand } from "./commands/sources.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { topicsCommand } from "./commands/topics.ts";

/** The `postrider` command with all its subcommands. They leave their exit code in `run`. */
export function createProgram(run: Run): Command {
  const program = new Command("postrider")
    .description("Webhook delivery from Kafka")
    .version(manifest.version)
    .helpOption("-h, --help", "what there is")
    .addHelpText(
      "after",
      "\nExit codes: 0 done · 1 failed · 2 usage · 3 a dependency cannot be reached · 4 not found · 5 refused or conflict · 130 interrupted · 141 nobody reads the output",
    );
  for (const make of [
    devCommand,
    demoCommand,
    startCommand,
    receiverCommand,
    listenCommand,
    topicsCommand,
    sourcesCommand,
    migrateCommand,
    endpointsCommand,
    keysCommand,
    secretsCommand,
    auditCommand,
    eventTypesCommand,
    publishCommand,
    triggerCommand,
    eventsCommand,
    deliveriesCommand,
    attemptsCommand,
    deadLettersCommand,
    replayCommand,
    queryCommand,
    statusCommand,
    doctorCommand,
  ])
    program.addCommand(make(run));
  return throwing(program);
}

/** Makes every command throw its usage errors, so that `main.ts`, the only file that exits, handles them. */
function throwing(command: Command): Command {
  command
    .exitOverride()
    .showHelpAfterError("(add --help to see what there is)");
  command.commands.forEach(throwing);
  return command;
}
