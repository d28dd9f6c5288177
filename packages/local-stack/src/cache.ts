import {
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { waitUntil } from "./wait-until.ts";
import { StackError } from "./stack-error.ts";

/** Where downloads are kept: XDG_CACHE_HOME or ~/.cache, below it `postrider`. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "postrider");
}

/** A lock whose holder has not touched it for this long is dead. */
const LOCK_STALE_MS = 15_000;
const WAIT_MS = 15 * 60_000;

/**
 * The entry `path` of the cache, made by `make` where it is missing. `make` writes to a path beside it, which takes its
 * name only when whole: an interrupted download leaves nothing that looks finished. Of several processes one makes it,
 * the others wait.
 */
export async function cached(
  path: string,
  make: (temporary: string) => Promise<void>,
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) return path;
  const lock = `${path}.lock`;
  const isOurs = await waitUntil(
    () => existsSync(path) || takeLock(lock),
    WAIT_MS,
  );
  if (!isOurs) {
    throw new StackError(
      "DOWNLOAD_FAILED",
      `Another process has been filling ${path} for ${WAIT_MS / 60_000} minutes: stop it, or remove ${lock}.`,
    );
  }
  if (existsSync(path) && !existsSync(lock)) return path;
  const beat = setInterval(() => {
    const now = new Date();
    utimesSync(lock, now, now);
  }, LOCK_STALE_MS / 5);
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    if (!existsSync(path)) {
      rmSync(temporary, { recursive: true, force: true });
      await make(temporary);
      renameSync(temporary, path);
    }
    return path;
  } finally {
    clearInterval(beat);
    rmSync(temporary, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
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
