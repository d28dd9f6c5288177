/**
 * One service as a child process, which ends whenever this process ends. Ctrl-C does not reach the child (it has its own
 * process group), so that we can stop services in order. If we are killed, the child's IPC channel closes, on which it stops
 * by itself; on Linux, setpriv also makes the kernel kill it.
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
import { serviceProgram } from "@postrider/runtime";
import { SERVICE_MEMORY_ENV, SERVICE_NODE_ARGS } from "./service-memory.ts";

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
  /** Null when the service writes to our own output. */
  readonly logFile: string | null;
  /** Settles when the service has ended, for any reason. */
  readonly exited: Promise<ServiceExit>;
  hasExited(): boolean;
  /** Sends SIGTERM or the given signal, then SIGKILL if the service has not ended within `withinMs`. Calling it twice is safe. */
  stop(withinMs: number, signal?: NodeJS.Signals): Promise<ServiceExit>;
}

/** The path of a service's program. */
export function mainOf(name: ServiceName): string {
  return fileURLToPath(serviceProgram(name));
}

/** Starts one service. Its output goes to the log file, or to our own output without one. Tests pass another program as `main`, with its arguments. */
export function spawnService(options: {
  readonly name: ServiceName;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string | null;
  readonly main?: string | undefined;
  readonly args?: readonly string[] | undefined;
}): ServiceProcess {
  const { name, env, logFile } = options;
  const log = logFile === null ? null : openLog(logFile);
  const output = log ?? "inherit";
  const [command, ...args] = tied([
    process.execPath,
    ...SERVICE_NODE_ARGS,
    options.main ?? mainOf(name),
    ...(options.args ?? []),
  ]);
  const child = spawn(command, args, {
    detached: true,
    env: { ...SERVICE_MEMORY_ENV, ...env },
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
  // Only one SIGTERM is sent: a second one tells a service to exit at once.
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

/** The last lines of a log, to show why a service ended. */
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

/** The last error of a service's log, in one line; null if there is none. */
export function lastError(file: string): string | null {
  for (const line of logTail(file).split("\n").reverse()) {
    const entry = parsed(line);
    if (entry?.level !== "error") continue;
    const { event, error, problems } = entry;
    const text = typeof error === "object" ? error?.message : error;
    const all = problems?.map(({ message }) => message).join("; ");
    return [event, text ?? all].filter(Boolean).join(": ");
  }
  return null;
}

interface LogEntry {
  readonly level?: string;
  readonly event?: string;
  readonly error?: string | { readonly message?: string } | null;
  readonly problems?: readonly { readonly message: string }[];
}

/** The line as our log wrote it; null if it is something else. */
function parsed(line: string): LogEntry | null {
  try {
    return JSON.parse(line) as LogEntry | null;
  } catch {
    return null;
  }
}

/** Each start truncates the log, so that the tail that is shown is of this run. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, "w", 0o600);
}

/** Wraps the command in `setpriv --pdeathsig KILL` where that exists (Linux): the kernel then kills the child when we are killed. The child's pid stays the same. */
export function tied(
  argv: readonly [string, ...string[]],
): [string, ...string[]] {
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find(existsSync);
  return setpriv === undefined
    ? [...argv]
    : [setpriv, "--pdeathsig", "KILL", ...argv];
}
