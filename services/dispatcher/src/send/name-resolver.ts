/**
 * Resolves names without a thread: `/etc/hosts` first, then DNS by c-ares, with the search domains of resolv.conf.
 *
 * Why not getaddrinfo: it blocks one of libuv's few threads while a name stalls, and cannot be cancelled. A hundred stalling
 * names of one hostile zone would stop all other look-ups. A look-up here costs a datagram and a little memory, ends by its
 * own timeout, and is cancelled when nobody waits for it any more.
 *
 * Not supported, unlike with getaddrinfo: nsswitch.conf and its sources (mDNS, NIS, nss-resolve), gai.conf, and the
 * variables RES_OPTIONS and LOCALDOMAIN.
 *
 * Invariant: for one name there is at most one look-up at a time; callers that ask meanwhile wait for the same one.
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

/** Called at most once, and never after the look-up was cancelled. */
export type Resolved = (
  error: Error | null,
  addresses: readonly LookupAddress[],
) => void;

/** Resolves a name to all of its addresses, or to a system error. It may return a function that cancels the caller's wait. */
export type Resolve = (hostname: string, done: Resolved) => (() => void) | void;

/** How long to wait for the other address family once one has answered with addresses. A name server that drops AAAA queries must not make each look-up wait for the timeout. */
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
      // Call back asynchronously, like an answer from DNS.
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
      // c-ares could not start: it could not open its files.
      const failure = error as NodeJS.ErrnoException;
      queueMicrotask(() => done(descriptorShortage(failure) ?? failure, []));
      return;
    }
  };
}

/** The addresses of `localhost` and names below it, which are never sent to DNS (RFC 6761 section 6.3). */
function loopbackOf(name: string): readonly LookupAddress[] | undefined {
  return name === "localhost" || name.endsWith(".localhost")
    ? LOOPBACK
    : undefined;
}

/** The names to look up in DNS, in order, by the rules of `search` and `ndots` in resolv.conf(5). */
export function candidatesOf(
  hostname: string,
  { searchDomains, ndots }: Pick<ResolvConf, "searchDomains" | "ndots">,
): readonly string[] {
  if (hostname.endsWith(".")) return [hostname.slice(0, -1)];
  const searched = searchDomains.map((domain) => `${hostname}.${domain}`);
  const dots = hostname.split(".").length - 1;
  return dots >= ndots ? [hostname, ...searched] : [...searched, hostname];
}

/** Errors that mean that no name server answers. Then the next candidate name is not tried, because it would fail too. */
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
  /** How many address families have not answered for the current candidate. */
  #pendingFamilies = 0;
  #otherFamilyTimer: NodeJS.Timeout | null = null;

  constructor(hostname: string, conf: ResolvConf, ended: () => void) {
    this.#candidates = candidatesOf(hostname, conf);
    this.#ended = ended;
    this.#resolver = resolverOf(conf);
    this.#ask();
  }

  /** Returns a function that ends this caller's wait. The look-up is cancelled when the last caller stops waiting. */
  wait(done: Resolved): () => void {
    let isCancelled = false;
    // Wrapped, so that each call has an entry of its own, even if two callers pass the same function. A caller that is
    // called may cancel another one's wait.
    const waiter: Resolved = (error, addresses) => {
      if (!isCancelled) done(error, addresses);
    };
    this.#waiting.add(waiter);
    return () => {
      isCancelled = true;
      if (this.#waiting.delete(waiter) && this.#waiting.size === 0) this.#end();
    };
  }

  #ask(): void {
    const name = this.#candidates[this.#at] ?? "";
    this.#pendingFamilies = 2;
    try {
      this.#resolver.resolve4(name, (error, addresses) =>
        this.#answered(error, 4, addresses),
      );
      this.#resolver.resolve6(name, (error, addresses) =>
        this.#answered(error, 6, addresses),
      );
    } catch (error) {
      // c-ares refuses the name, such as one with a label of 64 characters. Answer later: for the first candidate, `wait` has not been called yet.
      this.#pendingFamilies = 1;
      queueMicrotask(() => this.#answered(error as NodeJS.ErrnoException, 4));
    }
  }

  #answered(
    error: NodeJS.ErrnoException | null,
    family: 4 | 6,
    addresses: readonly string[] = [],
  ): void {
    // The look-up was cancelled, or has ended without this family.
    if (this.#waiting.size === 0) return;
    this.#pendingFamilies -= 1;
    if (error !== null) this.#failures.push(error);
    else this.#found.push(...addresses.map((address) => ({ address, family })));
    if (this.#pendingFamilies === 0) this.#concluded();
    else if (this.#found.length > 0)
      this.#otherFamilyTimer = setTimeout(
        () => this.#concluded(),
        OTHER_FAMILY_MS,
      );
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
      this.#tell(mostSerious(this.#failures), []);
    // IPv4 first: it works more often than IPv6.
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
    if (this.#otherFamilyTimer !== null) clearTimeout(this.#otherFamilyTimer);
    this.#ended();
    this.#resolver.cancel();
  }
}

/** A new resolver for each look-up. That costs about 70 µs, but uses the current servers and a port of its own, and `cancel` cannot end other look-ups. */
function resolverOf({ servers, timeoutMs, attempts }: ResolvConf): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries: attempts });
  try {
    if (servers.length > 0) resolver.setServers(servers);
  } catch {
    // An entry is not an address. c-ares has read the file itself and has left out such entries.
  }
  return resolver;
}

/**
 * The failure to report if no candidate has an address. First any failure of the look-up itself (such as a timeout), then
 * ENODATA (the name exists without an address), then ENOTFOUND. Null: every answer was empty and none was an error.
 */
function mostSerious(failures: readonly NodeJS.ErrnoException[]): Error | null {
  const failure =
    failures.find(({ code }) => code !== "ENOTFOUND" && code !== "ENODATA") ??
    failures.find(({ code }) => code === "ENODATA") ??
    failures[0];
  return descriptorShortage(failure) ?? failure ?? null;
}

/**
 * The real error behind ECONNREFUSED or EFILE from c-ares if this process has no descriptor left, else null. c-ares reports
 * ECONNREFUSED for a socket that it could not open, the same as for a server that refuses, and EFILE for a file that it
 * could not open. Opening a file here shows whether descriptors are used up.
 */
function descriptorShortage(
  failure: NodeJS.ErrnoException | undefined,
): Error | null {
  if (failure?.code !== "ECONNREFUSED" && failure?.code !== "EFILE")
    return null;
  try {
    closeSync(openSync("/dev/null", "r"));
    return null;
  } catch (error) {
    return error as Error;
  }
}
