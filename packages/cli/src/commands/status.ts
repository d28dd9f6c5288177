import type { Command } from "commander";
import { findAddresses, type Addresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import { deadHolder } from "../dev-folder.ts";
import { readiness } from "../processes/services.ts";
import {
  startedBeside,
  type StartedService,
} from "../processes/started-services.ts";
import { table } from "../terminal.ts";

interface ServiceStatus {
  readonly name: string;
  readonly state: "ready" | "not ready" | "down";
  /** Records that all processes of this service together have not done yet; null when Kafka cannot be reached. */
  readonly lagRecords: number | null;
  readonly detail: string;
  readonly adminUrl: string;
}

export function statusCommand(run: Run): Command {
  return command(
    run,
    "status",
    "whether each service is ready, and how far behind",
    async ({ terminal }) => {
      const dev = findAddresses().dev();
      if (dev === null)
        throw new CliError(EXIT.unreachable, "No running stack was found.", {
          why: "There is no .postrider/dev.json here or above, which says where the services' admin ports are.",
          next: "Start one with: npx postrider dev   (on a stack of your own: each service's /readyz)",
        });
      const deadPid = deadHolder(dev.folder);
      if (deadPid !== null)
        throw new CliError(
          EXIT.unreachable,
          "`postrider dev` is not running any more.",
          {
            why: `Its process ${deadPid} is gone, and what it ran with it; ${dev.folder}/dev.json was left.`,
            next: "npx postrider dev",
          },
        );
      const { lagsOfDev } = await import("../service-lag.ts"); // loaded here only: Kafka's client, which most commands do not need
      const lags = await lagsOfDev(dev);
      const services = await Promise.all(
        processesOf(dev).map((one) => statusOf(one, lags)),
      );
      const isReady = services.every(({ state }) => state === "ready");
      terminal.data({ ready: isReady, services }, () =>
        table(
          ["SERVICE", "STATE", "LAG", "ADMIN", "DETAIL"],
          services.map((service) => [
            service.name,
            service.state,
            service.lagRecords === null ? "" : String(service.lagRecords),
            service.adminUrl,
            service.detail,
          ]),
          terminal,
        ),
      );
      for (const { name } of services.filter(({ state }) => state === "down"))
        terminal.say(`Start it again with: npx postrider start ${name}`);
      return isReady ? EXIT.done : EXIT.unreachable;
    },
  );
}

type Dev = NonNullable<ReturnType<Addresses["dev"]>>;

/** The services that `dev` started, and those that `start` added. One that replaced a dead service of `dev` has the same admin port and is shown once. */
function processesOf({ folder, file }: Dev): StartedService[] {
  const known = new Set(file.services.map(({ adminUrl }) => adminUrl));
  const beside = startedBeside(folder).filter(
    ({ adminUrl }) => !known.has(adminUrl),
  );
  return [...file.services, ...beside];
}

async function statusOf(
  { name, adminUrl }: StartedService,
  lags: ReadonlyMap<string, number>,
): Promise<ServiceStatus> {
  const lagRecords = lags.get(name) ?? null;
  const seen = await readiness(adminUrl);
  if (seen === null)
    return {
      name,
      adminUrl,
      state: "down",
      lagRecords,
      detail: "its admin port does not answer",
    };
  return {
    name,
    adminUrl,
    state: seen.isReady ? "ready" : "not ready",
    lagRecords,
    detail: seen.failing,
  };
}
