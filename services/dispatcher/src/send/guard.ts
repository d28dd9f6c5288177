/**
 * The SSRF guard. It checks a connection three times: a literal address before anything is opened (literals are never
 * resolved), every resolved address before it is used, and the address to which the socket is really connected.
 *
 * The checks run once per connection, so a reused connection costs nothing. One policy holds for the whole process, so all
 * tenants may share connections. Proxy settings in the environment are never used.
 */
import { isIP } from "node:net";
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import {
  isAllowedFor,
  judgeAddress,
  judgeUrl,
  type AddressPolicy,
} from "@postrider/core";
import { BlockedError } from "./classify-failure.ts";
import { createNameResolver, type Resolve } from "./name-resolver.ts";

/**
 * How many addresses of a family are tried for a name. A DNS answer has room for 4,000, which net.connect would try one after
 * another: each attempt would be thousands of connections to whomever the name's owner likes.
 */
const MAX_TRIED = 8;

/** The `lookup` that net.connect calls. It may return a function that cancels the look-up. */
export type GuardedLookup = (
  ...args: Parameters<LookupFunction>
) => (() => void) | void;

export interface Guard {
  /** The error for a refused literal address, else null. Null for a name: `lookup` judges names. */
  refuseHost(hostname: string): BlockedError | null;
  /** For net.connect: returns only allowed addresses, the first few of each family; fails with a BlockedError if the name has addresses but none is allowed. Honours `options.all`. */
  readonly lookup: GuardedLookup;
  /**
   * The error for a socket that is connected to a refused address, else null. A socket without a remote address was closed
   * already: that is ECONNRESET, which is retried, and not `blocked`, which would end the delivery.
   */
  refuseConnected(
    remoteAddress: string | undefined,
    hostname: string,
  ): Error | null;
}

export function createGuard(
  policy: AddressPolicy,
  resolve: Resolve = createNameResolver(),
): Guard {
  const lookup: GuardedLookup = (hostname, options, callback) =>
    resolve(hostname, (error, resolved) => {
      if (error !== null)
        return callback(error as NodeJS.ErrnoException, "", 0);
      const allowed = allowedAddresses(policy, hostname, resolved);
      const usable = ofFamily(allowed, options.family);
      const first = usable[0];
      if (first === undefined) {
        const isRefused = allowed.length === 0 && resolved.length > 0;
        return callback(
          isRefused ? refusedName(hostname) : unusable(hostname),
          "",
          0,
        );
      }
      if (options.all === true) return callback(null, firstOf(usable));
      return callback(null, first.address, first.family);
    });
  return {
    lookup,
    refuseHost(hostname) {
      if (isIP(hostname) === 0 || judgeAddress(hostname, policy).allowed)
        return null;
      return new BlockedError(`${hostname} is not allowed`);
    },
    refuseConnected(remoteAddress, hostname) {
      if (remoteAddress === undefined) return goneAtOnce(hostname);
      const isLocal = isIP(hostname) === 0 && isLocalName(hostname);
      return isAllowedFor({ isLocal }, judgeAddress(remoteAddress, policy))
        ? null
        : new BlockedError(`${hostname} led to another address than allowed`);
    },
  };
}

/** The addresses of a name that may be used. For a local name: all, if every one lies in the allowed CIDRs, else none. For any other name: those that are allowed. */
function allowedAddresses(
  policy: AddressPolicy,
  hostname: string,
  resolved: readonly LookupAddress[],
): readonly LookupAddress[] {
  const isLocal = isLocalName(hostname);
  const allowed = resolved.filter(({ address }) =>
    isAllowedFor({ isLocal }, judgeAddress(address, policy)),
  );
  return isLocal && allowed.length < resolved.length ? [] : allowed;
}

/** Single-label names, `.local`, `.internal` and so on, as decided by core's `judgeUrl`. */
function isLocalName(hostname: string): boolean {
  const judgement = judgeUrl(`https://${hostname}/`, {
    allowHttp: false,
    allowedCidrs: [],
    deniedCidrs: [],
  });
  return !judgement.ok;
}

function refusedName(hostname: string): BlockedError {
  return new BlockedError(`no address of ${hostname} is allowed`);
}

function ofFamily(
  addresses: readonly LookupAddress[],
  family: number | "IPv4" | "IPv6" | undefined,
): readonly LookupAddress[] {
  const wanted = family === "IPv4" ? 4 : family === "IPv6" ? 6 : (family ?? 0);
  return wanted === 0
    ? addresses
    : addresses.filter((each) => each.family === wanted);
}

function firstOf(addresses: readonly LookupAddress[]): LookupAddress[] {
  return [4, 6].flatMap((family) =>
    ofFamily(addresses, family).slice(0, MAX_TRIED),
  );
}

/** The peer closed the connection before its address could be read. */
function goneAtOnce(hostname: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(
    `${hostname} was gone as soon as it was connected`,
  );
  error.code = "ECONNRESET";
  return error;
}

function unusable(hostname: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(
    `${hostname} has no usable address`,
  );
  error.code = "ENODATA";
  return error;
}
