/**
 * The SSRF guard. A connection is checked three times: a literal host before anything is opened (the resolver is never
 * asked about literals), every resolved address before it is handed on, and the address the socket is really connected
 * to. All of it happens once per connection, so a reused connection pays nothing; the policy is one for the whole
 * process, so connections may be shared by all tenants. No proxy is ever taken from the environment.
 */
import { isIP } from "node:net";
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import {
  isInCidrs,
  judgeAddress,
  judgeUrl,
  type AddressPolicy,
} from "@postrider/core";
import { BlockedError } from "./classify-failure.ts";
import { createNameResolver, type Resolve } from "./name-resolver.ts";

/** As net.connect calls it; what it returns, if anything, cancels the look-up. */
export type GuardedLookup = (
  ...args: Parameters<LookupFunction>
) => (() => void) | void;

export interface Guard {
  /** The error for a literal host that is refused, else null. Names pass: `lookup` judges them. */
  refuseHost(hostname: string): BlockedError | null;
  /** For net.connect: passes on only allowed addresses; fails with a BlockedError when none is left. Honours `options.all`. */
  readonly lookup: GuardedLookup;
  /** The error for a socket that is connected elsewhere than allowed, else null. One that has no address any more was reset: blocked would be for good. */
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
      if (options.all === true) return callback(null, [...usable]);
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
      const isAllowed =
        isIP(hostname) === 0 && isLocalName(hostname)
          ? isInCidrs(remoteAddress, policy.allowedCidrs)
          : judgeAddress(remoteAddress, policy).allowed;
      return isAllowed
        ? null
        : new BlockedError(`${hostname} led to another address than allowed`);
    },
  };
}

/** A local name passes only when every address lies in the allowed CIDRs; any other name keeps the addresses that are allowed. */
function allowedAddresses(
  policy: AddressPolicy,
  hostname: string,
  resolved: readonly LookupAddress[],
): readonly LookupAddress[] {
  if (!isLocalName(hostname))
    return resolved.filter(
      ({ address }) => judgeAddress(address, policy).allowed,
    );
  const isInside = resolved.every(({ address }) =>
    isInCidrs(address, policy.allowedCidrs),
  );
  return isInside ? resolved : [];
}

/** Single-label names, `.local`, `.internal` and the like: core's rule for URLs says which. */
function isLocalName(hostname: string): boolean {
  const judgement = judgeUrl(`https://${hostname}/`, {
    allowHttp: false,
    allowedCidrs: [],
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

/** The peer was faster than we could ask for its address. */
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
