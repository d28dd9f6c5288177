import { EXIT, type ExitCode } from "../cli-error.ts";
import { startDevStack, type DevStack } from "./dev-stack.ts";
import { interrupted } from "../interrupted.ts";
import { logTail, type ServiceExit } from "../processes/service-process.ts";
import type { RunningService } from "../processes/services.ts";
import { inWords } from "./stack-problem.ts";
import { shownUrl } from "../shown-url.ts";
import type { Terminal } from "../terminal.ts";
import type { Undo } from "./whole-stack.ts";

/** Resolves to 0 when the stack was ready before it was told to stop, to 130 when it was not ready yet. */
export async function runDev(
  folder: string,
  terminal: Terminal,
): Promise<ExitCode> {
  const asked = interrupted();
  const undo: Undo = [];
  let isStopping = false;
  try {
    const starting = startDevStack(folder, undo, {
      onProgress: (text) => (isStopping ? undefined : terminal.progress(text)),
      onTaken: (wanted, picked) =>
        terminal.say(`${wanted} is taken, using ${picked}.`),
      onLateStop: (text) => terminal.say(text),
      onNoConsole: (why) =>
        terminal.say(
          `${terminal.paintTalk("red", "The console could not be built.")} ${why}\nEverything else runs. Build it: npm run console`,
        ),
    });
    starting.catch(() => undefined); // an interrupted start may fail later; by then nobody waits for it
    const dev = await Promise.race([starting, asked.then(() => null)]).catch(
      (error: unknown) => {
        throw inWords(error);
      },
    );
    if (dev === null) return EXIT.interrupted;
    watch(dev, terminal, () => isStopping);
    terminal.data(dev.file, () => welcome(dev, terminal));
    await asked;
    return EXIT.done;
  } finally {
    isStopping = true;
    terminal.say("Stopping…");
    for (const step of undo.toReversed()) await step();
    terminal.say("Everything that was started has been stopped.");
  }
}

/** Reports a service that died, and the command that starts it again. Never restarts it: that would hide the failure that the user wants to see. */
function watch(
  dev: DevStack,
  terminal: Terminal,
  isStopping: () => boolean,
): void {
  for (const service of dev.services)
    void service.exited.then((exit) => {
      if (!isStopping()) tellOfDeath(service, exit, terminal);
    });
  for (const server of [dev.stack.kafka.server, dev.stack.clickhouse.server])
    server?.onUnexpectedExit((tail) => {
      if (isStopping()) return;
      terminal.say(
        `${terminal.paintTalk("red", `${server.name} has ended.`)} The end of its log:\n${tail}\nStop this with Ctrl-C and start again: npx postrider dev`,
      );
    });
}

function tellOfDeath(
  service: RunningService,
  exit: ServiceExit,
  terminal: Terminal,
): void {
  const how = exit.signal ?? `exit code ${exit.code}`;
  terminal.say(
    [
      terminal.paintTalk("red", `${service.name} has ended (${how}).`),
      `The end of ${service.logFile}:`,
      logTail(service.logFile, 5),
      `Start it again with: npx postrider start ${service.name}`,
    ].join("\n"),
  );
}

function welcome(dev: DevStack, terminal: Terminal): string {
  const { file } = dev;
  const name = (text: string): string =>
    terminal.paint("bold", text.padEnd(12));
  return [
    terminal.paint("green", "Postrider is ready."),
    "",
    `${name("Kafka")}${file.kafka.brokers.join(",")}   topics ${file.topicPrefix}*`,
    `${name("ClickHouse")}${shownUrl(file.clickhouse.url)}   database ${file.clickhouse.database}`,
    `${name("ingest")}${file.ingest.url}   POST /v1/events`,
    `${name("control")}${file.control.url}   /v1/endpoints, /v1/events, /v1/query`,
    `${name("console")}${file.control.url}/   for a browser; sign in with the key of .postrider/dev.json`,
    `${name("keys, logs")}.postrider`,
    "",
    "For your own producers (commands of this folder need none of it):",
    `  export KAFKA_BROKERS=${file.kafka.brokers.join(",")}`,
    "",
    "Next, in another terminal of this folder:",
    "  npx postrider endpoints create --tenant acme --url http://127.0.0.1:9000/hooks",
    "  npx postrider receiver --port 9000 --secret SECRET_FROM_ABOVE",
    `  npx postrider publish --tenant acme --type order.paid --payload '{"orderId":1001}' --wait`,
    `  npx postrider query "SELECT event_type, attempt_number, outcome, status_code FROM attempts ORDER BY started_at"`,
    "",
    `Ctrl-C here, or \`kill ${process.pid}\` elsewhere, stops everything; data stay in .postrider/data.`,
  ].join("\n");
}
