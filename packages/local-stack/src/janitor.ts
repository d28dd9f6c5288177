/**
 * Invariant: however this process ends, its servers end and its temporary folder is removed.
 *
 * A shell in a session of its own reads a pipe from us. `+PID` and `-PID` tell it which servers run. When the pipe ends,
 * which the kernel ensures even after kill -9, the shell kills the servers that are left and removes the folder.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

const SCRIPT = `
trap '' INT TERM HUP
pids=' '
while read -r line; do
  case "$line" in
    +*) pids="$pids\${line#+} " ;;
    -*) left=' '; for p in $pids; do [ "$p" = "\${line#-}" ] || left="$left$p "; done; pids="$left" ;;
  esac
done
for p in $pids; do kill -9 "$p" 2>/dev/null; done
[ -n "$1" ] || exit 0
for round in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && [ ! -e "$1" ] && exit 0; sleep 0.2; done
`;

export interface Janitor {
  /** Adds a server of ours to those that are killed at the end. */
  add(pid: number): void;
  /** Removes a server that has ended: its pid may soon belong to another process. */
  remove(pid: number): void;
  /** Kills the servers that are left and removes the folder; resolves when that is done. */
  finish(): Promise<void>;
}

/** Starts the janitor of one stack. `folder` is removed at the end; null removes nothing. */
export function startJanitor(folder: string | null): Janitor {
  const shell = spawn("sh", ["-c", SCRIPT, "postrider-janitor", folder ?? ""], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
    shell.once("error", () => resolve());
  });
  // If the janitor dies, the pipe breaks. Then only setpriv, below, still ends the servers.
  shell.stdin.on("error", () => undefined);
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") {
    shell.stdin.unref();
  }
  return {
    add: (pid) => void shell.stdin.write(`+${pid}\n`),
    remove: (pid) => void shell.stdin.write(`-${pid}\n`),
    finish: async () => {
      shell.ref();
      shell.stdin.end();
      await ended;
    },
  };
}

const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"].find(existsSync);

/** Wraps a command in `setpriv --pdeathsig KILL` where that exists (Linux): a second protection beside the janitor. The pid stays the same. */
export function tied(
  command: string,
  args: readonly string[],
): { command: string; args: string[] } {
  return SETPRIV === undefined
    ? { command, args: [...args] }
    : { command: SETPRIV, args: ["--pdeathsig", "KILL", command, ...args] };
}
