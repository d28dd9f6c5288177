/**
 * Identifies a process of this machine, so that another process can tell later whether it is dead.
 *
 * Works on Linux only, because it reads `/proc`; elsewhere no process has an identity.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "./sha256.ts";

export interface ProcessIdentity {
  /** Names one boot of one machine and one process namespace. Equal for two processes only if they see each other's process ids. */
  readonly where: string;
  readonly pid: number;
  /** The process's start time, in clock ticks since the boot. It tells a process from a later one that got the same process id. */
  readonly startTicks: string;
}

/** The identity of a process of this machine, by default of this process. Null when there is no such process, or its identity cannot be read. */
export function processIdentity(pid = process.pid): ProcessIdentity | null {
  const where = here();
  const stat = statOf(pid);
  if (where === null || stat === null) return null;
  return { where, pid, startTicks: stat.startTicks };
}

/** True only if the process ran on this machine and is gone. False in any doubt, and for a process of another machine. */
export function isCertainlyDead(identity: ProcessIdentity): boolean {
  const { where, pid, startTicks } = identity;
  // To `kill`, 0 and negative numbers mean process groups.
  if (!Number.isSafeInteger(pid) || pid <= 0 || where !== here()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Only ESRCH means dead. EPERM means alive but not ours to signal; a process that `/proc` hides from us is not taken for dead either.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const stat = statOf(pid);
  return stat !== null && (stat.startTicks !== startTicks || stat.hasEnded);
}

let known: string | null | undefined;

function here(): string | null {
  known ??= whereOf("/proc");
  return known;
}

/** What `/proc` says of the place; null where it does not say enough. */
export function whereOf(proc: string): string | null {
  try {
    const digest = sha256(
      [
        readFileSync(`${proc}/sys/kernel/random/boot_id`, "utf8").trim(),
        // A process id is valid only within its process namespace, and a start time only within its time namespace.
        readlinkSync(`${proc}/self/ns/pid`),
        timeNamespaceOf(proc),
        // Tells machines apart whose boot ids were cloned.
        hostname(),
      ].join("\n"),
    );
    return Buffer.from(digest).toString("hex").slice(0, 16);
  } catch {
    return null;
  }
}

/** Empty on kernels before 5.6, where time has no namespaces: all processes count from the same boot. */
function timeNamespaceOf(proc: string): string {
  try {
    return readlinkSync(`${proc}/self/ns/time`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

interface ProcessStat {
  /** The process has ended, but its parent has not yet waited for it (a zombie). */
  readonly hasEnded: boolean;
  readonly startTicks: string;
}

/** Source: proc_pid_stat(5). The process name in parentheses may contain any character, so the fields are counted from the name's end. */
function statOf(pid: number): ProcessStat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === undefined || startTicks === undefined) return null;
    return { hasEnded: /[ZX]/.test(state), startTicks };
  } catch {
    return null;
  }
}
