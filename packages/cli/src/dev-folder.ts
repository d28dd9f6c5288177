/**
 * The folder `.postrider` of one `dev`. `dev.json` (a public contract) exists only while a stack is ready; `dev.lock` exists
 * while a dev runs; `environment.json` holds the variables that its services were started with, so that `start` can start
 * another service with the same ones. All have mode 0600, because they hold keys.
 */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError, EXIT } from "./cli-error.ts";

/** The content of `.postrider/dev.json`. */
export interface DevFile {
  readonly version: 1;
  readonly kafka: { readonly brokers: readonly string[] };
  readonly clickhouse: { readonly url: string; readonly database: string };
  readonly schemaRegistry: { readonly url: string } | null;
  readonly topicPrefix: string;
  readonly adminKey: string;
  readonly ingest: { readonly url: string };
  readonly control: { readonly url: string };
  readonly services: readonly {
    readonly name: string;
    readonly pid: number;
    readonly adminUrl: string;
    readonly logFile: string;
  }[];
}

export type ServiceEnvironment = Readonly<Record<string, string>>;

/** The nearest folder `.postrider` that contains a `dev.json`, searched from `from` upwards; null when there is none. */
export function findDevFolder(from: string): string | null {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, ".postrider");
    if (existsSync(join(candidate, "dev.json"))) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

export function readDevFile(folder: string): DevFile {
  return readJson(join(folder, "dev.json")) as DevFile; // `writeDevFiles` writes it completely or not at all
}

export function readServiceEnvironment(folder: string): ServiceEnvironment {
  return readJson(join(folder, "environment.json")) as ServiceEnvironment; // written in the same way
}

/** Writes environment.json first: whoever sees dev.json then finds both. */
export function writeDevFiles(
  folder: string,
  dev: DevFile,
  environment: ServiceEnvironment,
): void {
  writeSecretly(join(folder, "environment.json"), environment);
  writeSecretly(join(folder, "dev.json"), dev);
}

export function removeDevFiles(folder: string): void {
  for (const name of ["dev.json", "environment.json"])
    rmSync(join(folder, name), { force: true });
}

/** The keys of this folder's stack. They are made once and kept, because secrets sealed in an earlier run must still open. */
export function keepKeys(folder: string, make: () => DevKeys): DevKeys {
  const path = join(folder, "keys.json");
  if (existsSync(path)) return readJson(path) as DevKeys; // the file is written below
  const keys = make();
  writeSecretly(path, keys);
  return keys;
}

/** Fresh keys for one stack: the admin key, and one encryption key. */
export function newKeys(): DevKeys {
  return {
    adminKey: `pr_${randomBytes(24).toString("base64url")}`,
    encryptionKeys: `dev1:${randomBytes(32).toString("base64")}`,
  };
}

export interface DevKeys {
  readonly adminKey: string;
  readonly encryptionKeys: string;
}

/** Makes the folder and takes its lock. Returns the function that releases the lock. Throws a refusal with the pid of the `dev` that holds it. */
export function lockDevFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "dev.lock");
  for (;;) {
    if (tryLock(path)) return () => rmSync(path, { force: true });
    const holder = readHolder(path);
    if (holder !== null && isAlive(holder))
      throw new CliError(
        EXIT.refused,
        `A stack runs in this folder already, started by process ${holder.pid}.`,
        {
          why: `${path} is held by it.`,
          next: `npx postrider status   (or stop it: kill ${holder.pid})`,
        },
      );
    rmSync(path, { force: true }); // the lock's owner was killed
  }
}

/** The pid of a `dev` that held the folder and died without releasing it: it was killed, or the machine went down. Null when none did. */
export function deadHolder(folder: string): number | null {
  const holder = readHolder(join(folder, "dev.lock"));
  return holder === null || isAlive(holder) ? null : holder.pid;
}

export interface Holder {
  readonly pid: number;
  readonly startedAt: string | null;
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    const holder: Holder = {
      pid: process.pid,
      startedAt: startOf(process.pid),
    };
    writeSync(file, JSON.stringify(holder));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // errors of openSync have a code
    throw error;
  }
}

function readHolder(path: string): Holder | null {
  try {
    return readJson(path) as Holder; // written by `tryLock`; a kill may have left it incomplete
  } catch {
    return null;
  }
}

/** Whether the process that wrote the note still runs. */
export function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // EPERM: alive, but another user's process
  }
  return holder.startedAt === startOf(holder.pid); // otherwise the pid now belongs to another process
}

/** When a process started, in clock ticks since the boot, as text; null without /proc. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may contain blanks. Field 3 follows the name, and the start time is field 22.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Writes the file completely or not at all: to a file beside it, which is then renamed. */
function writeSecretly(path: string, value: unknown): void {
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}
