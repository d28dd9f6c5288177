/**
 * Downloads and what is made of them once, kept between runs.
 * Invariant: an entry has its name only when it is whole. Of several processes one makes it, the others wait.
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

/** Where downloads are kept: XDG_CACHE_HOME or ~/.cache, below it `postrider`. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "postrider");
}

/** The holder touches its lock more often than this; a lock untouched for so long has lost its holder. */
const LOCK_STALE_MS = 15_000;
const WAIT_MS = 15 * 60_000;

/** The entry `path`, made by `make` where it is missing; `make` writes to the path beside it that it is given. `onWait` is told when another process is at it. */
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
    // Two that took one stale lock made it twice: theirs is as good as ours.
    if (!existsSync(path)) throw error;
  }
}

/** A folder is made by one process only; a stale one is taken away first. */
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
