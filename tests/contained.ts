/**
 * Runs a Node program as a container of the image runs it, as far as Linux can without an engine: as process 1, as a user who owns
 * nothing, on a root file system that is read-only, without capabilities. That needs root; elsewhere it is an ordinary process.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { tied } from "@postrider/cli";

const UID = "10001";
const CONTAINER = [
  "unshare --mount --pid --kill-child --mount-proc sh -c".split(" "),
  ['mount -o remount,bind,ro / && exec "$@"', "sh"],
  `setpriv --reuid=${UID} --regid=${UID} --clear-groups`.split(" "),
  "--bounding-set=-all --inh-caps=-all --no-new-privs".split(" "),
].flat();

const [unshare = "", ...into] = CONTAINER;
const tried = spawnSync(unshare, [...into, process.execPath, "-e", ""], {
  encoding: "utf8",
});

export const isContained = tried.status === 0;

/** How programs run here, for the name of a test. */
export const how = isContained
  ? `as process 1 and user ${UID} on a read-only root without capabilities`
  : `as an ordinary process: a container cannot be imitated here (${(tried.stderr || String(tried.error)).trim()})`;

export interface Contained {
  /** All that it has written. */
  output(): string;
  /** Settles with the exit code; null when a signal has ended it. */
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  signal(name: NodeJS.Signals): void;
}

export function runContained(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Contained {
  const [program, ...args] = tied(
    isContained
      ? [unshare, ...into, process.execPath, ...argv]
      : [process.execPath, ...argv],
  );
  const child = spawn(program, args, {
    env,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (output += String(chunk)));
  let isOver = false;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      isOver = true;
      resolve(code);
    });
  });
  return {
    output: () => output,
    exited,
    hasExited: () => isOver,
    signal: (name) => {
      const pid = isContained ? insideOf(child) : child.pid;
      if (pid !== undefined && !isOver) process.kill(pid, name);
    },
  };
}

/** `unshare` waits for its one child, which is process 1 inside, and passes no signals on. */
function insideOf({ pid }: ChildProcess): number | undefined {
  try {
    const children = `/proc/${pid}/task/${pid}/children`;
    return Number(readFileSync(children, "utf8").trim()) || undefined;
  } catch {
    return undefined; // it has just ended
  }
}
