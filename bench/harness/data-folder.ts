/** Where the servers of a run keep their data. */
import { statfsSync } from "node:fs";
import { freemem } from "node:os";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 8 * 2 ** 30;

export type DataPlace = "memory" | "disk";

/**
 * Puts the run's temporary folders into memory where there is room. An insert makes some fifty files, and what that costs is the
 * file system's: on a disk without a journal ClickHouse spent two thirds of an insert's CPU on it.
 */
export function keepDataInMemory(env: NodeJS.ProcessEnv): DataPlace {
  // A folder in memory says what it may take, not what there is.
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
