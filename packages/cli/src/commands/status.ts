import type { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import { readiness } from "../services.ts";
import { table } from "../terminal.ts";

interface ServiceStatus {
  readonly name: string;
  readonly state: "ready" | "not ready" | "down";
  /** Records not yet read, over what it owns; null when it does not say. */
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
          next: "Start one with: npx postrider dev",
        });
      const services = await Promise.all(dev.file.services.map(statusOf));
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

async function statusOf(service: {
  readonly name: string;
  readonly adminUrl: string;
}): Promise<ServiceStatus> {
  const { name, adminUrl } = service;
  const seen = await readiness(adminUrl);
  if (seen === null)
    return {
      name,
      adminUrl,
      state: "down",
      lagRecords: null,
      detail: "its admin port does not answer",
    };
  return {
    name,
    adminUrl,
    state: seen.isReady ? "ready" : "not ready",
    lagRecords: await lagOf(adminUrl),
    detail: seen.failing,
  };
}

/** The sum over its partitions; null where it has no such figure. */
async function lagOf(adminUrl: string): Promise<number | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`, {
      signal: AbortSignal.timeout(2_000),
    });
    return sumOf(await response.text(), LAG_METRIC);
  } catch {
    return null;
  }
}

const LAG_METRIC = /^postrider_(?:\w+_)?lag_records(?:\{[^}]*\})? (\S+)$/gm;

export function sumOf(page: string, metric: RegExp): number | null {
  const values = [...page.matchAll(metric)].map((match) => Number(match[1]));
  return values.length === 0
    ? null
    : values.reduce((sum, value) => sum + value, 0);
}
