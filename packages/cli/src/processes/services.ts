import { join } from "node:path";
import { createPortPicker } from "@postrider/runtime";
import { CliError, EXIT } from "../cli-error.ts";
import {
  lastError,
  logTail,
  SERVICES,
  spawnService,
  type ServiceName,
  type ServiceProcess,
} from "./service-process.ts";
import { stopServices } from "./stop-services.ts";

/** Default ports of `dev`; for one that is in use, the next free port is taken. */
export const DEFAULT_PORTS: ServicePorts = {
  ingest: 7401,
  control: 7400,
  admin: {
    ingest: 9400,
    dispatcher: 9401,
    "retry-scheduler": 9402,
    recorder: 9403,
    control: 9404,
  },
};

/** Wanted ports; 0: any free port. */
export interface ServicePorts {
  readonly ingest: number;
  readonly control: number;
  readonly admin: Readonly<Record<ServiceName, number>>;
}

export const ANY_PORTS: ServicePorts = {
  ingest: 0,
  control: 0,
  admin: {
    ingest: 0,
    dispatcher: 0,
    "retry-scheduler": 0,
    recorder: 0,
    control: 0,
  },
};

export interface StartServicesOptions {
  /** A `Stack` of local-stack, or addresses in the same form. */
  readonly stack: {
    readonly kafka: { readonly brokers: readonly string[] };
    readonly clickhouse: { readonly url: string };
    readonly schemaRegistry: { readonly url: string } | null;
  };
  /** The prefix of every topic and group, e.g. `postrider.`. */
  readonly prefix: string;
  /** The name of ClickHouse's database, which must have been migrated. */
  readonly database: string;
  readonly adminKey: string;
  /** `kid:base64`, newest first. */
  readonly encryptionKeys: string;
  /** Default: any free ports. */
  readonly ports?: ServicePorts | undefined;
  /** Further variables for every service, such as POSTRIDER_TIERS; they win over those made from the options above. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: each of the five services once. A name may be repeated. */
  readonly services?: readonly ServiceName[] | undefined;
  /** Each service logs to the file NAME.log in this folder. */
  readonly logDirectory: string;
  /** Called when a wanted port is in use and another one was picked. */
  readonly onTaken?: ((wanted: number, picked: number) => void) | undefined;
  /** Called as services become ready, with those that are still awaited. */
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Called once with a sentence, if a stop takes longer than 2 s. */
  readonly onLateStop?: ((text: string) => void) | undefined;
  /** Default 60 s. */
  readonly readyTimeoutMs?: number | undefined;
  /** In tests, the path of another program for a service. */
  readonly mainOf?: ((name: ServiceName) => string) | undefined;
}

/** A service that `startServices` started. `url` is that of its own API, if it has one. */
export interface RunningService extends ServiceProcess {
  readonly adminUrl: string;
  readonly url: string | null;
  readonly logFile: string;
}

export interface RunningServices {
  readonly services: readonly RunningService[];
  readonly ingestUrl: string;
  readonly controlUrl: string;
  /** The variables that all services were started with, without their ports. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sends SIGTERM to all at once, then SIGKILL to those that have not ended in time (default `STOP_PATIENCE_MS`). Calling it twice is safe. */
  stop(withinMs?: number): Promise<void>;
}

/**
 * Starts services as child processes and resolves when every `/readyz` answers 200. If one ends or is not ready in time, all
 * are stopped, and a `CliError` names it, its failing checks, and the end of its log. Topics and tables must exist before.
 */
export async function startServices(
  options: StartServicesOptions,
): Promise<RunningServices> {
  const environment = environmentOf(options);
  const services: RunningService[] = [];
  const stop = async (withinMs?: number): Promise<void> => {
    await stopServices(services, { withinMs, onLate: options.onLateStop });
  };
  const ports = createPortPicker(options.onTaken);
  const wanted = options.ports ?? ANY_PORTS;
  const seen = new Map<ServiceName, number>();
  for (const name of options.services ?? SERVICES) {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const adminPort = await ports.pick(wanted.admin[name]);
    const apiPort = hasApi(name) ? await ports.pick(wanted[name]) : null;
    const file = count === 1 ? `${name}.log` : `${name}-${count}.log`;
    const logFile = join(options.logDirectory, file);
    const process = spawnService({
      name,
      logFile,
      main: options.mainOf?.(name),
      env: serviceEnv(environment, adminPort, apiPort),
    });
    services.push({
      ...process,
      logFile,
      adminUrl: `http://127.0.0.1:${adminPort}`,
      url: apiPort === null ? null : `http://127.0.0.1:${apiPort}`,
    });
  }
  try {
    await allReady(services, options);
  } catch (error) {
    await stop(5_000);
    throw error;
  }
  const urlOf = (name: ServiceName): string =>
    services.find((service) => service.name === name)?.url ?? "";
  return {
    services,
    ingestUrl: urlOf("ingest"),
    controlUrl: urlOf("control"),
    environment,
    stop,
  };
}

/** The whole environment of a service: our own variables (PATH and the like), those that all services share, and its ports. */
export function serviceEnv(
  shared: Readonly<Record<string, string>>,
  adminPort: number | string,
  apiPort: number | string | null,
): Record<string, string | undefined> {
  return {
    ...process.env,
    ...shared,
    POSTRIDER_ADMIN_PORT: String(adminPort),
    ...(apiPort === null ? {} : { POSTRIDER_PORT: String(apiPort) }),
  };
}

/** Whether the service has an API of its own besides the admin port. */
export function hasApi(name: ServiceName): name is "ingest" | "control" {
  return name === "ingest" || name === "control";
}

function environmentOf(options: StartServicesOptions): Record<string, string> {
  const registry = options.stack.schemaRegistry;
  return {
    KAFKA_BROKERS: options.stack.kafka.brokers.join(","),
    CLICKHOUSE_URL: options.stack.clickhouse.url,
    ...(registry === null ? {} : { SCHEMA_REGISTRY_URL: registry.url }),
    POSTRIDER_TOPIC_PREFIX: options.prefix,
    POSTRIDER_CLICKHOUSE_DATABASE: options.database,
    POSTRIDER_ADMIN_KEY: options.adminKey,
    POSTRIDER_ENCRYPTION_KEYS: options.encryptionKeys,
    ...options.env,
  };
}

async function allReady(
  services: readonly RunningService[],
  options: StartServicesOptions,
): Promise<void> {
  const waiting = new Set(services);
  const progress = (): void =>
    options.onProgress?.(
      waiting.size === 0
        ? "all services are ready"
        : `waiting for ${[...waiting].map((service) => service.name).join(", ")}`,
    );
  progress();
  const deadline = Date.now() + (options.readyTimeoutMs ?? 60_000);
  await Promise.all(
    services.map(async (service) => {
      await becomesReady(service, deadline);
      waiting.delete(service);
      progress();
    }),
  );
}

const PROBE_EVERY_MS = 100;

/** Resolves when `/readyz` answers 200 and the child is alive. If the child is dead, another process answered on its port. */
export async function becomesReady(
  service: RunningService,
  deadline: number,
): Promise<void> {
  let seen = "its admin port does not answer";
  while (Date.now() < deadline) {
    const probe = await readiness(service.adminUrl);
    if (service.hasExited()) {
      const { code, signal } = await service.exited;
      const how = signal === null ? `exit code ${code}` : signal;
      const error = lastError(service.logFile);
      const why = error === null ? "" : `: ${error}`;
      throw failure(service, `ended while it started (${how})${why}.`);
    }
    if (probe?.isReady === true) return;
    if (probe !== null && probe.failing !== "") seen = probe.failing;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  throw failure(service, `did not become ready: ${seen}.`);
}

/** The answer of `/readyz`; null when nobody answers. `failing` names the checks that are not ok, `pid` the process that answered. */
export async function readiness(adminUrl: string): Promise<{
  readonly isReady: boolean;
  readonly pid: number | undefined;
  readonly failing: string;
} | null> {
  try {
    const response = await fetch(`${adminUrl}/readyz`, {
      signal: AbortSignal.timeout(2_000),
    });
    const body = (await response.json()) as {
      pid?: number;
      checks?: readonly { name: string; isOk: boolean; detail: string }[];
    }; // this is what the admin server answers
    const failing = (body.checks ?? [])
      .filter((check) => !check.isOk)
      .map((check) => `${check.name}: ${check.detail}`)
      .join("; ");
    return { isReady: response.ok, pid: body.pid, failing };
  } catch {
    return null;
  }
}

function failure(service: RunningService, what: string): CliError {
  return new CliError(EXIT.failed, `The service ${service.name} ${what}`, {
    why: `the end of ${service.logFile}:\n${logTail(service.logFile)}`,
    next: `less ${service.logFile}`,
  });
}
