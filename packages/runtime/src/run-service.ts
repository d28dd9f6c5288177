import { startAdmin } from "./admin.ts";
import { systemClock } from "./clock.ts";
import { ConfigError, type Env } from "./config.ts";
import type { Check, Effects, Health, Lifecycle, Log } from "./effects.ts";
import { composeLifecycle } from "./lifecycle.ts";
import { createLog, type LogLevel } from "./log.ts";
import { createMeter } from "./meter.ts";
import { startTraces } from "./start-traces.ts";
import { LONGEST_STOP_MS } from "./stop-times.ts";
import type { TracesSettings } from "./traces-config.ts";

/** The settings that every service's config has: see `processConfig`. Those of `tracesConfig` only a service has that makes spans. */
export interface ProcessSettings extends Partial<TracesSettings> {
  readonly logLevel: LogLevel;
  readonly adminHost: string;
  readonly adminPort: number;
}

/** What `compose` returns: the parts in starting order, and the health that the admin server reports. */
export interface Composition {
  readonly parts: readonly Lifecycle[];
  readonly health: Health;
}

export interface ServiceOptions<C extends ProcessSettings> {
  readonly name: string;
  /** Throws `ConfigError`. */
  readonly readConfig: (env: Env) => C;
  readonly compose: (
    config: C,
    effects: Effects,
  ) => Composition | Promise<Composition>;
  /** The time from the signal to the last part's deadline. Default, and the most: `LONGEST_STOP_MS`. */
  readonly stopWithinMs?: number;
}

/** When the parent process has died, its Kafka has probably died with it, and nobody waits for this service: stop soon. */
const STOP_WITHIN_MS_WHEN_ORPHANED = 3_000;

/**
 * Runs a service from start to exit. Reads the configuration, starts the admin server and then the parts in order, logs
 * `service.ready`, and stops in reverse on SIGTERM, on SIGINT, or when the parent that holds its IPC channel is gone.
 * Resolves to the exit code for `main.ts`: 0 stopped cleanly · 1 failed, or an uncaught exception · 2 bad configuration,
 * with every problem on stderr · 130 a second signal. The admin server starts first and stops last, so that a service
 * that is still waiting for its broker can report it.
 */
export async function runService<C extends ProcessSettings>(
  options: ServiceOptions<C>,
  env: Env = process.env,
): Promise<number> {
  // A diagnostic report of Node lists all variables, and with them the secrets.
  process.report.excludeEnv = true;
  const config = configOf(options, env);
  if (config === undefined) return 2;
  const log = createLog({ service: options.name, level: config.logLevel });
  const asked = listenForEnd(log);
  try {
    const ran = await Promise.race([
      runParts(options, config, { log, asked: asked.stop }),
      asked.exit,
    ]);
    return ran;
  } catch (error) {
    log.error("service.failed", { error });
    return 1;
  } finally {
    asked.forget();
  }
}

function configOf<C extends ProcessSettings>(
  options: ServiceOptions<C>,
  env: Env,
): C | undefined {
  try {
    return options.readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLog({ service: options.name }).error("config.refused", {
      problems: error.problems,
    });
    return undefined;
  }
}

interface StopRequest {
  readonly reason: string;
  readonly withinMs?: number;
}

async function runParts<C extends ProcessSettings>(
  options: ServiceOptions<C>,
  config: C,
  { log, asked }: { log: Log; asked: Promise<StopRequest> },
): Promise<number> {
  const meter = createMeter({ service: options.name });
  const clock = systemClock;
  const traces = await startTraces({
    settings: config,
    service: options.name,
    log,
  });
  const { parts, health } = await options.compose(config, {
    log,
    meter,
    clock,
    tracer: traces.tracer,
  });
  let isStarted = false;
  let isStopping = false;
  const started = (): Check => ({
    name: "started",
    isOk: isStarted,
    detail: isStarted
      ? "all parts have started"
      : "parts are starting; the other checks of /readyz say what they wait for",
  });
  const admin = startAdmin({
    host: config.adminHost,
    port: config.adminPort,
    meter,
    health: {
      live: () => health.live(),
      ready: () => [started(), ...health.ready()],
      // The parts may wait for Kafka, rights, a table or the registry. A restart brings none of them.
      startup: () => [{ ...started(), isOk: true }, ...health.live()],
    },
  });
  const whole = composeLifecycle([admin, ...traces.parts, ...parts], {
    clock,
    log,
  });
  const startedAt = clock.monotonic();
  const starting = whole.start().then(() => {
    if (isStopping) return;
    isStarted = true;
    log.info("service.ready", {
      adminUrl: admin.url(),
      startMs: Math.round(clock.monotonic() - startedAt),
    });
  });
  const { reason, withinMs } = await Promise.race([
    asked,
    starting.then(() => asked), // `starting` rejects when a part does not start
  ]);
  isStopping = true;
  log.info("service.stopping", { reason });
  starting.catch(() => undefined); // a start that the stop interrupts may reject
  await whole.stop(
    clock.now() + (withinMs ?? options.stopWithinMs ?? LONGEST_STOP_MS),
  );
  log.info("service.stopped", { reason });
  return 0;
}

/** The first signal asks for a stop, the second for an immediate exit. An uncaught exception also exits immediately: the process's state is then unknown. */
function listenForEnd(log: Log): {
  stop: Promise<StopRequest>;
  exit: Promise<number>;
  forget(): void;
} {
  const stop = Promise.withResolvers<StopRequest>();
  const exit = Promise.withResolvers<number>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) exit.resolve(130);
    else stop.resolve({ reason: signal });
  };
  const onUncaught = (error: unknown): void => {
    log.error("process.uncaught", { error });
    exit.resolve(1);
  };
  const onDisconnect = (): void => {
    stop.resolve({
      reason: "parent is gone",
      withinMs: STOP_WITHIN_MS_WHEN_ORPHANED,
    });
    setTimeout(() => exit.resolve(1), STOP_WITHIN_MS_WHEN_ORPHANED + 1_000);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  process.on("uncaughtException", onUncaught);
  if (process.connected) process.on("disconnect", onDisconnect);
  return {
    stop: stop.promise,
    exit: exit.promise,
    forget() {
      process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
      process.off("uncaughtException", onUncaught);
      process.off("disconnect", onDisconnect);
    },
  };
}
