/**
 * `.postrider`: what one `dev` knows. `dev.json` (a contract) is there exactly while a stack is ready; `dev.lock` while a
 * dev runs; `environment.json` is what its services were started with, so that `start` gives another one the same.
 * All are 0600: they hold keys.
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

/** `.postrider/dev.json`. */
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

/** The nearest folder `.postrider` with a `dev.json`, from `from` upwards; null when there is none. */
export function findDevFolder(from: string): string | null {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, ".postrider");
    if (existsSync(join(candidate, "dev.json"))) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

export function readDevFile(folder: string): DevFile {
  return readJson(join(folder, "dev.json")) as DevFile; // written by `writeDevFile`, whole or not at all
}

export function readServiceEnvironment(folder: string): ServiceEnvironment {
  return readJson(join(folder, "environment.json")) as ServiceEnvironment; // likewise
}

/** The environment first: whoever sees dev.json finds both. */
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

/** The keys of this folder's stack, made once: what was sealed yesterday must open today. */
export function keepKeys(folder: string, make: () => DevKeys): DevKeys {
  const path = join(folder, "keys.json");
  if (existsSync(path)) return readJson(path) as DevKeys; // written below
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

/** Makes the folder and takes its lock. Throws a refusal that names the pid of the `dev` that has it. Returns how to give it back. */
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
    rmSync(path, { force: true }); // its owner was killed
  }
}

/** The pid of a `dev` that had the folder and is gone without a word: killed, or the machine went down. Null: it runs, or ended by itself. */
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
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // what openSync throws has a code
    throw error;
  }
}

function readHolder(path: string): Holder | null {
  try {
    return readJson(path) as Holder; // written by `tryLock`, or cut short by a kill
  } catch {
    return null;
  }
}

/** Whether the very process that a note was written for still runs. */
export function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // alive, another user's
  }
  return holder.startedAt === startOf(holder.pid); // else the pid is another process's by now
}

/** When a process started, in the kernel's ticks; null where /proc is not there. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold blanks; what follows it starts with field 3, and the start is field 22.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Whole or not at all: written beside, then renamed. */
function writeSecretly(path: string, value: unknown): void {
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}
