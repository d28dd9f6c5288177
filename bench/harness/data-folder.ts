/** Where the servers of a run keep their data. */
import { statfsSync } from "node:fs";
import { freemem } from "node:os";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 8 * 2 ** 30;

export type DataPlace = "memory" | "disk";

/**
 * Puts the run's temporary folders into memory if there is room. An insert makes about fifty files, and their cost depends on the
 * file system: on a disk without a journal ClickHouse spent two thirds of an insert's CPU time on them.
 */
export function keepDataInMemory(env: NodeJS.ProcessEnv): DataPlace {
  // The free bytes of a folder in memory are only its limit, so the machine's free memory is checked, too.
  if (Math.min(freeBytesOf(MEMORY), freemem()) < ENOUGH_BYTES) return "disk";
  env["TMPDIR"] = MEMORY;
  return "memory";
}

function freeBytesOf(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
