/**
 * One server as a child process, which can be restarted on the same ports and data.
 * Invariant: at most one child is alive, and the janitor knows its pid exactly as long as it is.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { tied, type Janitor } from "./janitor.ts";
import { StackError } from "./stack-error.ts";
import { waitUntil } from "./wait-until.ts";

export interface ServerSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Give the child an IPC channel, so that a Node child notices our end by its event `disconnect`. */
  readonly hasIpc: boolean;
  /** True when the server is usable, and is ours. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
  /** The time from SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly janitor: Janitor;
}

/** A running server, with the faults that tests need. */
export interface ServerHandle {
  readonly name: string;
  /** Null while it is down. */
  pid(): number | null;
  /** Sends SIGKILL; resolves when the server is gone. Its data stay. */
  kill9(): Promise<void>;
  /** Starts the server again on the same ports and data, if it is down; resolves when it is usable. */
  restart(): Promise<void>;
  /** Sends SIGSTOP: the server is alive but does not answer. */
  freeze(): void;
  /** Sends SIGCONT. */
  thaw(): void;
  /** Sends SIGTERM, then SIGKILL after `graceMs`. Calling it twice is safe. */
  stop(): Promise<void>;
  /** The listener is called, with the end of the log, when the server ends without our having stopped it. */
  onUnexpectedExit(listener: (logTail: string) => void): void;
  readonly logFile: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<void>;
  hasEnded: boolean;
}

/** Starts the server and resolves when it is usable. Otherwise throws a `StackError` with the end of the server's log. */
export async function startServer(spec: ServerSpec): Promise<ServerHandle> {
  let running = await launch(spec);
  let isWanted = true;
  const listeners: ((logTail: string) => void)[] = [];
  const watch = (now: Running): void => {
    void now.ended.then(() => {
      if (isWanted && now === running)
        for (const listener of listeners) listener(logTail(spec.logFile));
    });
  };
  watch(running);
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    isWanted = false;
    if (running.hasEnded) return;
    running.child.ref();
    running.child.kill(signal);
    const force = setTimeout(() => running.child.kill("SIGKILL"), spec.graceMs);
    await running.ended;
    clearTimeout(force);
  };
  return {
    name: spec.name,
    logFile: spec.logFile,
    pid: () => (running.hasEnded ? null : running.pid),
    kill9: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    freeze: () => void running.child.kill("SIGSTOP"),
    thaw: () => void running.child.kill("SIGCONT"),
    restart: async () => {
      if (!running.hasEnded) return;
      running = await launch(spec);
      isWanted = true;
      watch(running);
    },
    onUnexpectedExit: (listener) => void listeners.push(listener),
  };
}

/** Waits for all groups. If one failed, kills the servers of the others and throws its error. */
export async function allOrNone(
  starting: readonly Promise<readonly ServerHandle[]>[],
): Promise<(readonly ServerHandle[])[]> {
  const results = await Promise.allSettled(starting);
  const failed = results.find((result) => result.status === "rejected");
  const groups = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : [],
  );
  if (failed === undefined) return groups;
  await Promise.all(groups.flat().map((server) => server.kill9()));
  throw failed.reason;
}

async function launch(spec: ServerSpec): Promise<Running> {
  const running = await run(spec);
  const isReady = await waitUntil(
    async () => running.hasEnded || (await spec.isReady()),
    spec.readyTimeoutMs,
  );
  if (!isReady || running.hasEnded) {
    running.child.kill("SIGKILL");
    await running.ended;
    const why = isReady ? "ended while it started" : "did not become ready";
    throw new StackError(
      "NOT_READY",
      `${spec.name} ${why}. The end of its log:\n${logTail(spec.logFile)}`,
    );
  }
  running.child.unref();
  running.child.channel?.unref();
  return running;
}

async function run(spec: ServerSpec): Promise<Running> {
  const log = openSync(spec.logFile, "a");
  const { command, args } = tied(spec.command, spec.args);
  // Detached, so that Ctrl-C reaches only us, and we can first stop what uses the servers.
  const child = spawn(command, args, {
    detached: true,
    env: spec.env,
    stdio: spec.hasIpc ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
  });
  closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", (cause) =>
      reject(
        new StackError("NOT_READY", `${spec.name} cannot be run`, { cause }),
      ),
    );
  });
  spec.janitor.add(pid);
  const running: Running = {
    child,
    pid,
    hasEnded: false,
    ended: new Promise((resolve) => {
      child.once("exit", () => {
        running.hasEnded = true;
        spec.janitor.remove(pid);
        resolve();
      });
    }),
  };
  return running;
}

function logTail(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(-2000).trim();
  } catch {
    return "(no log)";
  }
}
