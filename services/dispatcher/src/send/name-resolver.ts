/**
 * Resolves names without a thread: `/etc/hosts` first, then DNS by c-ares, with the search domains of resolv.conf.
 *
 * getaddrinfo holds one of libuv's few threads for as long as a name stalls, and cannot be cancelled: some hundred names
 * of one hostile zone would stop the look-ups of all others. A look-up here is a datagram and a little memory, ends by
 * its own time-out, and is cancelled once nobody waits for it. What getaddrinfo does beyond that is left out: nsswitch.conf
 * and its sources (mDNS, NIS, nss-resolve), gai.conf, and the variables RES_OPTIONS and LOCALDOMAIN.
 *
 * Invariant: for one name there is at most one look-up at a time, and everybody who asks meanwhile waits for that one.
 */
import { Resolver } from "node:dns";
import { closeSync, openSync } from "node:fs";
import type { LookupAddress } from "node:dns";
import {
  createNameFiles,
  plainName,
  SYSTEM_NAME_FILES,
  type NameFilePaths,
  type ResolvConf,
} from "./name-files.ts";

/** Called at most once, and not at all once cancelled. */
export type Resolved = (
  error: Error | null,
  addresses: readonly LookupAddress[],
) => void;

/** Resolves a name to all of its addresses, or to a system error; what it returns, if anything, cancels that. */
export type Resolve = (hostname: string, done: Resolved) => (() => void) | void;

/** Once one family has addresses, how long the other may still take: a server that drops AAAA must not cost its time-out. */
const OTHER_FAMILY_MS = 300;
const LOOPBACK: readonly LookupAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

export function createNameResolver(
  paths: NameFilePaths = SYSTEM_NAME_FILES,
): Resolve {
  const files = createNameFiles(paths);
  const lookUps = new Map<string, LookUp>();
  return (hostname, done) => {
    const name = plainName(hostname);
    const known = files.hosts().get(name) ?? loopbackOf(name);
    if (known !== undefined) {
      // Later, as an answer from DNS would come.
      queueMicrotask(() => done(null, known));
      return;
    }
    const underWay = lookUps.get(hostname);
    if (underWay !== undefined) return underWay.wait(done);
    try {
      const ended = (): void => void lookUps.delete(hostname);
      const lookUp = new LookUp(hostname, files.resolvConf(), ended);
      lookUps.set(hostname, lookUp);
      return lookUp.wait(done);
    } catch (error) {
      // c-ares cannot even begin: its files cannot be opened.
      const failure = error as NodeJS.ErrnoException;
      queueMicrotask(() => done(exhausted(failure) ?? failure, []));
      return;
    }
  };
}

/** RFC 6761 section 6.3: these are never asked of DNS. */
function loopbackOf(name: string): readonly LookupAddress[] | undefined {
  return name === "localhost" || name.endsWith(".localhost")
    ? LOOPBACK
    : undefined;
}

/** The names to ask DNS for, in order: resolv.conf(5) under `search` and `ndots`. */
export function candidatesOf(
  hostname: string,
  { searchDomains, ndots }: Pick<ResolvConf, "searchDomains" | "ndots">,
): readonly string[] {
  if (hostname.endsWith(".")) return [hostname.slice(0, -1)];
  const searched = searchDomains.map((domain) => `${hostname}.${domain}`);
  const dots = hostname.split(".").length - 1;
  return dots >= ndots ? [hostname, ...searched] : [...searched, hostname];
}

/** No server answers: it would not for the next candidate either. */
const UNANSWERED: ReadonlySet<string | undefined> = new Set([
  "ETIMEOUT",
  "ECONNREFUSED",
]);

class LookUp {
  readonly #waiting = new Set<Resolved>();
  readonly #resolver: Resolver;
  readonly #candidates: readonly string[];
  readonly #ended: () => void;
  readonly #failures: NodeJS.ErrnoException[] = [];
  readonly #found: LookupAddress[] = [];
  #at = 0;
  /** Families of the candidate that have not answered. */
  #open = 0;
  #patience: NodeJS.Timeout | null = null;

  constructor(hostname: string, conf: ResolvConf, ended: () => void) {
    this.#candidates = candidatesOf(hostname, conf);
    this.#ended = ended;
    this.#resolver = resolverOf(conf);
    this.#ask();
  }

  /** Returns what ends the wait; the look-up itself ends with the last one. */
  wait(done: Resolved): () => void {
    // One of its own for each wait: two may have given the same function.
    const waiter: Resolved = (error, addresses) => done(error, addresses);
    this.#waiting.add(waiter);
    return () => {
      if (this.#waiting.delete(waiter) && this.#waiting.size === 0) this.#end();
    };
  }

  #ask(): void {
    const name = this.#candidates[this.#at] ?? "";
    this.#open = 2;
    try {
      this.#resolver.resolve4(name, (error, addresses) =>
        this.#answered(error, 4, addresses),
      );
      this.#resolver.resolve6(name, (error, addresses) =>
        this.#answered(error, 6, addresses),
      );
    } catch (error) {
      // A name that cannot be asked for, such as one with a label of 64 characters. Nobody waits yet when it is the first.
      this.#open = 1;
      queueMicrotask(() => this.#answered(error as NodeJS.ErrnoException, 4));
    }
  }

  #answered(
    error: NodeJS.ErrnoException | null,
    family: 4 | 6,
    addresses: readonly string[] = [],
  ): void {
    // Cancelled, or told without this family.
    if (this.#waiting.size === 0) return;
    this.#open -= 1;
    if (error !== null) this.#failures.push(error);
    else this.#found.push(...addresses.map((address) => ({ address, family })));
    if (this.#open === 0) this.#concluded();
    else if (this.#found.length > 0)
      this.#patience = setTimeout(() => this.#concluded(), OTHER_FAMILY_MS);
  }

  #concluded(): void {
    const isNext =
      this.#found.length === 0 &&
      this.#at + 1 < this.#candidates.length &&
      !this.#failures.some(({ code }) => UNANSWERED.has(code));
    if (isNext) {
      this.#at += 1;
      this.#ask();
    } else if (this.#found.length === 0)
      this.#tell(gravest(this.#failures), []);
    // Where both work, IPv4 does more often.
    else
      this.#tell(
        null,
        this.#found.toSorted((a, b) => a.family - b.family),
      );
  }

  #tell(error: Error | null, addresses: readonly LookupAddress[]): void {
    const waiting = [...this.#waiting];
    this.#end();
    for (const done of waiting) done(error, addresses);
  }

  #end(): void {
    this.#waiting.clear();
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#ended();
    this.#resolver.cancel();
  }
}

/** One for each look-up: it costs some 70 µs, reads the servers anew, has a port of its own, and `cancel` ends no other's queries. */
function resolverOf({ servers, timeoutMs, attempts }: ResolvConf): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries: attempts });
  try {
    if (servers.length > 0) resolver.setServers(servers);
  } catch {
    // c-ares has read the file too, and has left out what is no address.
  }
  return resolver;
}

/** A failure that says nothing of the name outweighs one that says it has no address, and that one that says there is no such name. Null: none, and no address either. */
function gravest(failures: readonly NodeJS.ErrnoException[]): Error | null {
  const failure =
    failures.find(({ code }) => code !== "ENOTFOUND" && code !== "ENODATA") ??
    failures.find(({ code }) => code === "ENODATA") ??
    failures[0];
  return exhausted(failure) ?? failure ?? null;
}

/** c-ares calls a socket that it could not open ECONNREFUSED, as a server that refuses, and a file EFILE: where no descriptor is left, that is why. */
function exhausted(failure: NodeJS.ErrnoException | undefined): Error | null {
  if (failure?.code !== "ECONNREFUSED" && failure?.code !== "EFILE")
    return null;
  try {
    closeSync(openSync("/dev/null", "r"));
    return null;
  } catch (error) {
    return error as Error;
  }
}
