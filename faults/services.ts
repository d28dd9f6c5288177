/** The services of one case as processes, and the faults that can be done to them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  becomesReady,
  hasApi,
  serviceEnv,
  spawnService,
  type RunningService,
  type ServiceName,
} from "@postrider/cli";
import {
  createPortPicker,
  STOP_PATIENCE_MS,
  type PortPicker,
} from "@postrider/runtime";
import { waitFor, type ProcessFigures } from "@postrider/testkit";
import type { Program } from "./program.ts";

const READY_WITHIN_MS = 120_000;

export class Services {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #logDirectory: string;
  readonly #ports: PortPicker = createPortPicker();
  readonly #started: RunningService[] = [];

  constructor(
    environment: Readonly<Record<string, string>>,
    logDirectory: string,
  ) {
    this.#environment = environment;
    this.#logDirectory = logDirectory;
  }

  /** Starts one more process of this service without waiting; `ready` waits until it is ready. `env` and `program` are for this process only. */
  async spawn(
    name: ServiceName,
    env: Readonly<Record<string, string>> = {},
    program: Partial<Program> = {},
  ): Promise<RunningService> {
    const adminPort = await this.#ports.pick(0);
    const apiPort = hasApi(name) ? await this.#ports.pick(0) : null;
    const count = this.#started.filter((one) => one.name === name).length;
    const logFile = join(this.#logDirectory, `${name}-${count + 1}.log`);
    const process = spawnService({
      name,
      logFile,
      ...program,
      env: {
        ...serviceEnv(this.#environment, adminPort, apiPort),
        ...env,
      },
    });
    const service: RunningService = {
      ...process,
      logFile,
      adminUrl: `http://127.0.0.1:${adminPort}`,
      url: apiPort === null ? null : `http://127.0.0.1:${apiPort}`,
    };
    this.#started.push(service);
    return service;
  }

  async start(...names: readonly ServiceName[]): Promise<RunningService[]> {
    const services: RunningService[] = [];
    for (const name of names) services.push(await this.spawn(name));
    await this.ready(...services);
    return services;
  }

  async ready(...services: readonly RunningService[]): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    await Promise.all(
      services.map((service) => becomesReady(service, deadline)),
    );
  }

  /** The living processes, in the order of their starts. */
  all(name?: ServiceName): RunningService[] {
    return this.#started.filter(
      (one) => !one.hasExited() && (name === undefined || one.name === name),
    );
  }

  one(name: ServiceName): RunningService {
    const [service] = this.all(name);
    if (service === undefined) throw new Error(`no ${name} lives`);
    return service;
  }

  async kill9(service: RunningService): Promise<void> {
    service.child.kill("SIGKILL");
    await service.exited;
  }

  /** Sends SIGTERM; throws when the service does not end by itself with code 0. */
  async stop(service: RunningService): Promise<void> {
    const { code, signal } = await service.stop(STOP_PATIENCE_MS);
    if (code !== 0)
      throw new Error(`${service.name} ended with ${code ?? signal}`);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.all().map((service) => this.kill9(service)));
  }
}

/** The lines that a service logged with this event name, in order. */
export function logged(
  service: RunningService,
  event: string,
): { readonly at: number; readonly fields: Record<string, unknown> }[] {
  return readFileSync(service.logFile, "utf8")
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => {
      const fields = JSON.parse(line) as Record<string, unknown>;
      return { at: Date.parse(String(fields["time"])), fields };
    });
}

/** The value of one line of a service's metrics page; null when there is no such line. */
export async function metricOf(
  service: RunningService,
  name: string,
): Promise<number | null> {
  const page = await fetch(`${service.adminUrl}/metrics`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(20_000),
  });
  const lines = (await page.text()).split("\n");
  const line = lines.find(
    (each) => each.startsWith(name) && /^[ {]/.test(each.slice(name.length)),
  );
  return line === undefined ? null : Number(line.split(" ").at(-1));
}

/** Heap after a collection, sockets and timers: the smallest value of several readings, because a service's own request may be open during one of them. */
export async function figuresOf(
  service: RunningService,
): Promise<ProcessFigures> {
  const least = { heapBytes: Infinity, sockets: Infinity, timers: Infinity };
  for (let look = 0; look < LOOKS; look++) {
    service.child.kill("SIGUSR2");
    await sleep(LOOK_EVERY_MS);
    const [heapBytes, sockets, timers] = await Promise.all([
      metricOf(service, "postrider_heap_used_bytes"),
      metricOf(service, "postrider_open_sockets"),
      metricOf(service, "postrider_active_timers"),
    ]);
    least.heapBytes = Math.min(least.heapBytes, heapBytes ?? Infinity);
    least.sockets = Math.min(least.sockets, sockets ?? Infinity);
    least.timers = Math.min(least.timers, timers ?? Infinity);
  }
  return least;
}

const LOOKS = 10;
const LOOK_EVERY_MS = 50;

/** Waits until the figures are no higher than before; otherwise returns the last reading. */
export async function figuresNoMoreThan(
  service: RunningService,
  before: ProcessFigures,
  {
    spareConnections,
    timeoutMs,
  }: { spareConnections: number; timeoutMs: number },
): Promise<ProcessFigures> {
  let last = await figuresOf(service);
  await waitFor(
    async () => {
      last = await figuresOf(service);
      return (
        last.heapBytes <= before.heapBytes * 1.1 &&
        last.sockets <= before.sockets + spareConnections &&
        last.timers <= before.timers + spareConnections
      );
    },
    { timeoutMs, everyMs: 200 },
  ).catch(() => undefined);
  return last;
}
