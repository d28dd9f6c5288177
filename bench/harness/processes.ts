/**
 * The processes of a run: each is pinned to cores from its first instruction, and ends with the run.
 * Invariant: every process that was started and has not ended is in `running`, and dies with us for whatever reason we end.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tied } from "@postrider/cli";

/** A list of cores in taskset's form: `0`, `1`, `0,1`. */
export type Cores = string;

/** A process that is measured alone has this core; sink, broker and harness have the other. */
export const SUBJECT_CORE: Cores = "0";
export const OTHER_CORE: Cores = "1";
export const BOTH_CORES: Cores = "0,1";

export interface Pinned {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Settles with the exit code when the process has ended. */
  readonly ended: Promise<number | null>;
  /** Sends SIGTERM, then SIGKILL after `withinMs`. Calling it twice is safe. */
  stop(withinMs?: number): Promise<void>;
}

export interface PinnedOptions {
  readonly name: string;
  readonly cores: Cores;
  /** Arguments of Node itself, such as --cpu-prof. */
  readonly nodeArgs?: readonly string[];
  readonly main: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The file for the process's output; default: our stderr. */
  readonly logFile?: string;
}

const running = new Set<Pinned>();

/** Starts a Node program on the given cores, with an IPC channel. */
export function startPinned(options: PinnedOptions): Pinned {
  const { name, cores, main, logFile } = options;
  const log = logFile === undefined ? null : openSync(logFile, "a");
  const [command, ...args] = tied([
    "taskset",
    "-c",
    cores,
    process.execPath,
    ...(options.nodeArgs ?? []),
    main,
    ...(options.args ?? []),
  ]);
  const child = spawn(command, args, {
    // Ctrl-C then reaches only us, so that we stop the processes in order.
    detached: true,
    env: options.env ?? process.env,
    stdio: ["ignore", log ?? 2, log ?? 2, "ipc"],
    serialization: "advanced",
  });
  if (log !== null) closeSync(log);
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.once("error", () => resolve(127));
  });
  const pinned: Pinned = {
    name,
    // 0 when the process could not be spawned; `ended` then settles with 127.
    pid: child.pid ?? 0,
    child,
    ended,
    async stop(withinMs = 20_000) {
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
      await ended;
      clearTimeout(force);
    },
  };
  running.add(pinned);
  void ended.then(() => running.delete(pinned));
  return pinned;
}

/** Ends every process that a failed run left behind. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((each) => each.stop(5_000)));
}

/** Pins every thread of a running process. */
export function pin(pid: number, cores: Cores): void {
  execFileSync("taskset", ["-a", "-c", "-p", cores, String(pid)]);
}

/** The full path of a program, given relative to `bench/`. */
export function programOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** Resolves to the process's next message of this kind; rejects when the process ends before. */
export async function messageOf<T>(from: Pinned, kind: string): Promise<T> {
  return await new Promise((resolve, reject) => {
    const listener = (message: unknown): void => {
      const received = message as { kind?: string }; // all our programs send objects with a kind
      if (received.kind !== kind) return;
      from.child.off("message", listener);
      resolve(message as T);
    };
    from.child.on("message", listener);
    void from.ended.then((code) =>
      reject(new Error(`${from.name} ended (exit code ${code})`)),
    );
  });
}
