/**
 * Reads the machine's name configuration: `/etc/hosts`, and the settings of `/etc/resolv.conf` that c-ares leaves to its
 * caller. Both are read like glibc reads them, because people write these files for glibc.
 */
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import type { LookupAddress } from "node:dns";

export interface NameFilePaths {
  readonly hosts: string;
  readonly resolvConf: string;
}

export const SYSTEM_NAME_FILES: NameFilePaths = {
  hosts: "/etc/hosts",
  resolvConf: "/etc/resolv.conf",
};

/** Addresses by name. Names are in lower case, without a trailing dot. */
export type Hosts = ReadonlyMap<string, readonly LookupAddress[]>;

export interface ResolvConf {
  /** Empty if the file names none: then c-ares uses its default. */
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
  /** A name with at least this many dots is looked up as it is before the search domains are tried. */
  readonly ndots: number;
  /** How long a server may take for its first answer. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

export interface NameFiles {
  hosts(): Hosts;
  resolvConf(): ResolvConf;
}

/** Reads each file again when it has changed: a machine may move to another network, and Kubernetes rewrites `/etc/hosts`. */
export function createNameFiles(paths: NameFilePaths): NameFiles {
  return {
    hosts: rereadOnChange(paths.hosts, parseHosts),
    resolvConf: rereadOnChange(paths.resolvConf, parseResolvConf),
  };
}

export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, LookupAddress[]>();
  for (const [address, ...names] of words(text)) {
    const family = isIP(address ?? "");
    // Skip an address with a zone (`fe80::1%lo0`): it is valid only on one interface of this machine.
    if (address === undefined || family === 0 || address.includes("%"))
      continue;
    for (const name of names) {
      const known = hosts.get(plainName(name)) ?? [];
      if (!known.some((each) => each.address === address))
        known.push({ address, family });
      hosts.set(plainName(name), known);
    }
  }
  return hosts;
}

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searchDomains: string[] = [];
  const options = new Map<string, number>();
  for (const [keyword, ...values] of words(text)) {
    if (keyword === "nameserver" && values[0] !== undefined)
      servers.push(values[0]);
    // If `domain` and `search` are repeated or mixed, the last line counts.
    if (keyword === "domain") searchDomains = values.slice(0, 1);
    if (keyword === "search") searchDomains = values;
    if (keyword !== "options") continue;
    for (const value of values) {
      const [name = "", number] = value.split(":");
      options.set(name, Number(number));
    }
  }
  return {
    servers,
    searchDomains: searchDomains.map(plainName).filter((each) => each !== ""),
    ndots: bounded(options.get("ndots"), { least: 0, most: 15, default: 1 }),
    timeoutMs:
      bounded(options.get("timeout"), { least: 1, most: 30, default: 2 }) *
      1_000,
    attempts: bounded(options.get("attempts"), {
      least: 1,
      most: 5,
      default: 3,
    }),
  };
}

/** A name in the form in which names are compared: lower case, without a trailing dot. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** The words of each line, without comments. */
function words(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.replace(/[#;].*/, "").trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}

function bounded(
  value: number | undefined,
  range: { least: number; most: number; default: number },
): number {
  return value === undefined || !Number.isInteger(value)
    ? range.default
    : Math.min(range.most, Math.max(range.least, value));
}

/** Returns a function that gives the parsed file as it is now. A missing file counts as empty; while a file cannot be read, its last content counts. */
function rereadOnChange<T>(path: string, parse: (text: string) => T): () => T {
  let version = "";
  let parsed = parse("");
  return () => {
    try {
      const stats = statSync(path, { throwIfNoEntry: false });
      const found =
        stats === undefined
          ? ""
          : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
      if (found === version) return parsed;
      parsed = parse(found === "" ? "" : readFileSync(path, "utf8"));
      version = found;
    } catch {
      // Descriptors are used up, the file is being replaced, or its path leads nowhere: the next look-up tries again.
    }
    return parsed;
  };
}
