/** What /proc says about a process: CPU time, which is user and system time of all its threads, including those that have ended; and memory. Linux only. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** User and system time in clock ticks. Source: proc_pid_stat(5), fields 14 and 15. The process name may contain spaces and brackets. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // The text after the name begins with field 3.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new Error(`not a /proc stat: ${stat}`);
  return ticks;
}

let ticksPerSecond: number | undefined;

/** CPU seconds of a living process since its start; one tick is usually 10 ms. Throws when the process has ended. */
export function cpuSecondsOf(pid: number): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"]));
  return ticksOf(readFileSync(`/proc/${pid}/stat`, "utf8")) / ticksPerSecond;
}

/** CPU seconds of several processes at the same moment, by name. */
export function cpuSecondsByName(
  pids: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map([...pids].map(([name, pid]) => [name, cpuSecondsOf(pid)]));
}

/** Seconds for which the machine's cores had nothing to do since its boot, over all cores. */
export function idleSeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle / 1000, 0);
}

/** Resident memory in bytes. Source: proc_pid_status(5). */
export function residentOf(status: string): number {
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!(kilobytes > 0)) throw new Error(`no VmRSS in ${status}`);
  return kilobytes * 1024;
}

/** Resident memory of a living process, in millions of bytes. */
export function residentMbOf(pid: number): number {
  return residentOf(readFileSync(`/proc/${pid}/status`, "utf8")) / 1e6;
}
