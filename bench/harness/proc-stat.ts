/** CPU time of a process from /proc/PID/stat: user and system, of all its threads, ended ones too. Linux only. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** User + system, in clock ticks. Source: proc_pid_stat(5), fields 14 and 15. The name may hold spaces and brackets. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // What follows the name begins with field 3.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new Error(`not a /proc stat: ${stat}`);
  return ticks;
}

let ticksPerSecond: number | undefined;

/** CPU seconds of a living process since it began; one tick is usually 10 ms. Throws when it has ended. */
export function cpuSecondsOf(pid: number): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"]));
  return ticksOf(readFileSync(`/proc/${pid}/stat`, "utf8")) / ticksPerSecond;
}

/** CPU seconds of several at one moment, by name. */
export function cpuSecondsByName(
  pids: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map([...pids].map(([name, pid]) => [name, cpuSecondsOf(pid)]));
}
