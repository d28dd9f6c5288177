/**
 * Invariant: whatever way this process ends, its servers end and its temporary folder goes.
 *
 * A shell of its own session reads a pipe from us. `+PID` and `-PID` name the servers that run; the pipe's end, which
 * the kernel brings about even on kill -9, makes it kill what is left and remove the folder.
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
  /** Watch a server of ours. */
  add(pid: number): void;
  /** It has ended: its pid may soon be another's. */
  remove(pid: number): void;
  /** Kills what is still named and removes the folder; resolves when done. */
  finish(): Promise<void>;
}

/** Starts the janitor of one stack. `folder` is removed at the end; null keeps everything. */
export function startJanitor(folder: string | null): Janitor {
  const shell = spawn("sh", ["-c", SCRIPT, "postrider-janitor", folder ?? ""], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
    shell.once("error", () => resolve());
  });
  // A janitor that died leaves the pipe broken; setpriv below is then the net that remains.
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

/** The command under `setpriv --pdeathsig KILL` where there is one (Linux), which keeps the pid: the second net beside the janitor. */
export function tied(
  command: string,
  args: readonly string[],
): { command: string; args: string[] } {
  return SETPRIV === undefined
    ? { command, args: [...args] }
    : { command: SETPRIV, args: ["--pdeathsig", "KILL", command, ...args] };
}
