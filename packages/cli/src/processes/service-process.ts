/**
 * One service as a child process. It ends with us whatever ends us: Ctrl-C does not reach it (its own process group), so
 * that we stop it in order; a kill of ours closes its IPC channel, on which it stops by itself, and on Linux setpriv makes
 * the kernel kill it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const SERVICES = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "recorder",
  "control",
] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  readonly name: ServiceName;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Null when its output is ours. */
  readonly logFile: string | null;
  /** Settles when it has ended, however. */
  readonly exited: Promise<ServiceExit>;
  hasExited(): boolean;
  /** SIGTERM or the signal given, then SIGKILL when it has not ended within. Twice is safe. */
  stop(withinMs: number, signal?: NodeJS.Signals): Promise<ServiceExit>;
}

/** Where a service's program is. */
export function mainOf(name: ServiceName): string {
  return fileURLToPath(
    new URL(`../../../../services/${name}/src/main.ts`, import.meta.url),
  );
}

/** Starts one service; with a log file its output goes there, without one to ours. `main` is another program in tests. */
export function spawnService(options: {
  readonly name: ServiceName;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string | null;
  readonly main?: string | undefined;
}): ServiceProcess {
  const { name, env, logFile } = options;
  const log = logFile === null ? null : openLog(logFile);
  const output = log ?? "inherit";
  const [command, ...args] = tied([
    process.execPath,
    options.main ?? mainOf(name),
  ]);
  const child = spawn(command, args, {
    detached: true,
    env,
    stdio: ["ignore", output, output, "ipc"],
  });
  if (log !== null) closeSync(log);
  let exit: ServiceExit | null = null;
  const exited = new Promise<ServiceExit>((resolve) => {
    const settle = (ended: ServiceExit): void => {
      exit ??= ended;
      resolve(exit);
    };
    child.once("exit", (code, signal) => settle({ code, signal }));
    child.once("error", () => settle({ code: 127, signal: null }));
  });
  // One SIGTERM: a second would tell the service to drop what it finishes.
  const end = async (
    withinMs: number,
    signal: NodeJS.Signals = "SIGTERM",
  ): Promise<ServiceExit> => {
    if (exit !== null) return exit;
    child.kill(signal);
    const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
    const ended = await exited;
    clearTimeout(force);
    return ended;
  };
  let stopped: Promise<ServiceExit> | undefined;
  return {
    name,
    pid: child.pid ?? 0,
    child,
    logFile,
    exited,
    hasExited: () => exit !== null,
    stop: (withinMs, signal) => (stopped ??= end(withinMs, signal)),
  };
}

/** The last lines of a log, for people who ask why it ended. */
export function logTail(file: string, lines = 15): string {
  try {
    return readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .slice(-lines)
      .join("\n");
  } catch {
    return "(no log)";
  }
}

/** A new life starts a new log: the tail shown is then of this life. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, "w", 0o600);
}

/** Under `setpriv --pdeathsig KILL` where there is one (Linux): the pid stays, and the kernel kills it when we are killed. */
export function tied(
  argv: readonly [string, ...string[]],
): [string, ...string[]] {
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find(existsSync);
  return setpriv === undefined
    ? [...argv]
    : [setpriv, "--pdeathsig", "KILL", ...argv];
}
