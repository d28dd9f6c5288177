/**
 * Which process of which machine this is, so that another process can tell later whether it is dead.
 *
 * Linux only, where `/proc` says enough; elsewhere nothing is known of any process.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "./sha256.ts";

export interface ProcessIdentity {
  /** Equal for two processes only if they see each other's process ids: one boot of one machine, one process namespace. */
  readonly where: string;
  readonly pid: number;
  /** When it started, in clock ticks since the boot: a process id that is used again has another one. */
  readonly startTicks: string;
}

/** A process of this machine, by default this one; null where it cannot be told, or when there is none. */
export function processIdentity(pid = process.pid): ProcessIdentity | null {
  const where = here();
  const stat = statOf(pid);
  if (where === null || stat === null) return null;
  return { where, pid, startTicks: stat.startTicks };
}

/** True only if the process was one of this machine and is gone. In any doubt, or elsewhere, false. */
export function isCertainlyDead(identity: ProcessIdentity): boolean {
  const { where, pid, startTicks } = identity;
  // 0 and below would name process groups.
  if (!Number.isSafeInteger(pid) || pid <= 0 || where !== here()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not ours to signal is still alive. A process that `/proc` hides from us is not taken for dead either.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const stat = statOf(pid);
  return stat !== null && (stat.startTicks !== startTicks || stat.hasEnded);
}

let known: string | null | undefined;

function here(): string | null {
  known ??= readHere();
  return known;
}

function readHere(): string | null {
  try {
    const digest = sha256(
      [
        readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
        // A process id means something within its namespace, and a start time within its own.
        readlinkSync("/proc/self/ns/pid"),
        readlinkSync("/proc/self/ns/time"),
        // Of machines whose boot ids were cloned.
        hostname(),
      ].join("\n"),
    );
    return Buffer.from(digest).toString("hex").slice(0, 16);
  } catch {
    return null;
  }
}

interface ProcessStat {
  /** Killed, and not yet asked for by its parent. */
  readonly hasEnded: boolean;
  readonly startTicks: string;
}

/** Source: proc_pid_stat(5). The name in parentheses may hold anything; the fields count from its end. */
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
