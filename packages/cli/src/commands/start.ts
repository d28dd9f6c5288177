import { createPortPicker } from "@postrider/runtime";
import { Argument, type Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import {
  findDevFolder,
  readDevFile,
  readServiceEnvironment,
  type DevFile,
} from "../dev-folder.ts";
import { interrupted } from "../interrupted.ts";
import {
  SERVICES,
  spawnService,
  type ServiceName,
  type ServiceProcess,
} from "../processes/service-process.ts";
import {
  DEFAULT_PORTS,
  hasApi,
  readiness,
  serviceEnv,
} from "../processes/services.ts";
import { stopServices } from "../processes/stop-services.ts";
import { noteStarted } from "../processes/started-services.ts";
import type { Terminal } from "../terminal.ts";

export function startCommand(run: Run): Command {
  const made = command(
    run,
    "start",
    "run one service in the foreground, beside what `dev` runs or against the stack of the environment",
    async ({ args, terminal }) => await start(args[0] as ServiceName, terminal), // commander allows only the choices below
  );
  return made.addArgument(new Argument("<service>").choices(SERVICES));
}

async function start(
  name: ServiceName,
  terminal: Terminal,
): Promise<ExitCode | void> {
  const folder = findDevFolder(process.cwd());
  if (folder === null && !process.env["KAFKA_BROKERS"])
    throw new CliError(EXIT.unreachable, "No running stack was found.", {
      why: "KAFKA_BROKERS is not set, and there is no .postrider/dev.json here or above.",
      next: "Start one with: npx postrider dev   (or set the variables of docs/configuration.md for a stack of your own)",
    });
  const dev = folder === null ? null : readDevFile(folder);
  const ports = createPortPicker((wanted, picked) =>
    terminal.say(`${wanted} is taken, using ${picked}.`),
  );
  const pick = async (wanted: number | string): Promise<number | string> =>
    typeof wanted === "number" ? await ports.pick(wanted) : wanted;
  const wanted = wantedPorts(name, dev);
  const adminPort = await pick(wanted.admin);
  const apiPort = wanted.api === null ? null : await pick(wanted.api);
  const service = spawnService({
    name,
    logFile: null,
    env: serviceEnv(
      folder === null ? {} : sharedEnvironment(folder),
      adminPort,
      apiPort,
    ),
  });
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  terminal.say(
    `Starting ${name}; while it waits, ${adminUrl}/readyz says for what.`,
  );
  void sayWhenReady(service, adminUrl, terminal);
  const forget =
    folder === null
      ? () => undefined
      : noteStarted(folder, { name, pid: service.pid, adminUrl });
  try {
    const asked = await Promise.race([interrupted(), service.exited]);
    if (typeof asked !== "string") return exitCodeOf(asked.code);
    // Passes on the same signal, so that the service's log names it. Services do not handle SIGHUP, so that becomes SIGTERM.
    const signal = asked === "SIGINT" ? asked : "SIGTERM";
    const [exit] = await stopServices([service], {
      signal,
      onLate: terminal.say,
    });
    return exitCodeOf(exit!.code); // one service, one exit
  } finally {
    forget();
  }
}

/** The variables that `dev` gave its services; a variable of our own environment wins. */
function sharedEnvironment(folder: string): Record<string, string> {
  const shared = readServiceEnvironment(folder);
  return Object.fromEntries(
    Object.entries(shared).map(([name, value]) => [
      name,
      process.env[name] || value,
    ]),
  );
}

/** The ports of the same service of `dev`. When that service has died, its ports are free, and with them `dev.json` is right again. */
function wantedPorts(
  name: ServiceName,
  dev: DevFile | null,
): { readonly admin: number | string; readonly api: number | string | null } {
  const known = dev?.services.find((service) => service.name === name);
  const fromEnvironment = (variable: string): number | string | undefined => {
    const text = process.env[variable];
    if (!text) return undefined;
    const number = Number(text);
    // A text that is no port is passed on: the service refuses it, together with every other problem of its configuration.
    return Number.isInteger(number) && number >= 0 && number < 65_536
      ? number
      : text;
  };
  return {
    admin:
      fromEnvironment("POSTRIDER_ADMIN_PORT") ??
      portOf(known?.adminUrl) ??
      DEFAULT_PORTS.admin[name],
    api: hasApi(name)
      ? (fromEnvironment("POSTRIDER_PORT") ??
        portOf(dev?.[name].url) ??
        DEFAULT_PORTS[name])
      : null,
  };
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port);
}

async function sayWhenReady(
  service: ServiceProcess,
  adminUrl: string,
  terminal: Terminal,
): Promise<void> {
  while (!service.hasExited()) {
    const seen = await readiness(adminUrl);
    // The port was free when it was picked; another process may have taken it since.
    if (seen?.isReady === true && seen.pid === service.pid) {
      terminal.say(
        `${service.name} is ready; admin port ${adminUrl} (Ctrl-C stops it)`,
      );
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200).unref());
  }
}

/** The service's own exit code: 0 stopped cleanly, 2 bad configuration; a kill counts as failed. */
function exitCodeOf(code: number | null): ExitCode {
  return Object.values(EXIT).find((known) => known === code) ?? EXIT.failed;
}
