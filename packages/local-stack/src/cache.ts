/**
 * A cache of downloads and of files made from them, kept between runs.
 * Invariant: a path with an entry's name exists only when the entry is complete. One process makes it; others wait for it.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { StackError } from "./stack-error.ts";
import { waitUntil } from "./wait-until.ts";

/** The cache's folder: `postrider` below XDG_CACHE_HOME or ~/.cache. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "postrider");
}

/** The holder touches its lock five times within this time; a lock that was not touched for so long belongs to a dead process. */
const LOCK_STALE_MS = 15_000;
const WAIT_MS = 15 * 60_000;

/** Returns the entry `path`. If it is missing, calls `make` with a temporary path beside it, and then moves that into place. `onWait` is called when another process is making the entry. */
export async function cached(
  path: string,
  make: (temporary: string) => Promise<void>,
  onWait: (text: string) => void = () => undefined,
): Promise<string> {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const lock = `${path}.lock`;
  let hasLock = takeLock(lock);
  if (!hasLock) {
    onWait(`waiting for another process, which is making ${path}`);
    await waitUntil(() => {
      if (existsSync(path)) return true;
      hasLock = takeLock(lock);
      return hasLock;
    }, WAIT_MS);
  }
  if (!hasLock) {
    if (existsSync(path)) return path;
    throw new StackError(
      "DOWNLOAD_FAILED",
      `Another process has been making ${path} for ${WAIT_MS / 60_000} minutes: end it, or remove ${lock}.`,
    );
  }
  const beat = setInterval(() => {
    const now = new Date();
    if (existsSync(lock)) utimesSync(lock, now, now);
  }, LOCK_STALE_MS / 5);
  try {
    removeLeftovers(path);
    const temporary = `${path}.tmp-${process.pid}`;
    if (!existsSync(path)) await make(temporary);
    moveInto(path, temporary);
    return path;
  } finally {
    clearInterval(beat);
    removeLeftovers(path);
    rmSync(lock, { recursive: true, force: true });
  }
}

function moveInto(path: string, temporary: string): void {
  try {
    if (existsSync(temporary)) renameSync(temporary, path);
  } catch (error) {
    // If two processes took over the same stale lock, both made the entry. Whichever is in place first is used.
    if (!existsSync(path)) throw error;
  }
}

/** Tries to take the lock by making its folder, which only one process can do. Removes a stale lock first. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const touchedAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (touchedAt !== undefined && Date.now() - touchedAt > LOCK_STALE_MS)
      rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function removeLeftovers(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(`${basename(path)}.tmp-`))
      rmSync(join(dirname(path), name), { recursive: true, force: true });
  }
}
