import {
  type AddressBytes,
  type Cidr,
  isWithin,
  parseAddress,
  parseCidrs,
  unmapped,
} from "./address.ts";

export interface AddressPolicy {
  /** Blocks that are allowed though the ranges below forbid them. */
  readonly allowedCidrs: readonly Cidr[];
}

export type AddressJudgement =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly why: string };

/** IPv4 special-purpose ranges (IANA), and one public-looking address behind which a cloud's own platform answers. */
const REFUSED_IPV4 = ranges({
  "0.0.0.0/8": "this network",
  "10.0.0.0/8": "private",
  "100.64.0.0/10": "shared (CGNAT)",
  "127.0.0.0/8": "loopback",
  "168.63.129.16/32": "cloud platform",
  "169.254.0.0/16": "link-local",
  "172.16.0.0/12": "private",
  "192.0.0.0/24": "IETF protocol assignments",
  "192.0.2.0/24": "documentation",
  "192.88.99.0/24": "6to4 relay anycast",
  "192.168.0.0/16": "private",
  "198.18.0.0/15": "benchmarking",
  "198.51.100.0/24": "documentation",
  "203.0.113.0/24": "documentation",
  "224.0.0.0/4": "multicast",
  "240.0.0.0/4": "reserved",
});

/** Within 2000::/3, which alone is global unicast, these are not for the public or carry another address inside. */
const REFUSED_IPV6 = ranges({
  "2001::/23": "IETF protocol assignments",
  "2001:db8::/32": "documentation",
  "2002::/16": "6to4",
  "3fff::/20": "documentation",
});
const GLOBAL_UNICAST = parseCidrs("2000::/3");

/**
 * Whether a request may leave for an address. An IPv4 address inside `::ffff:0:0/96` is judged as that address; every
 * other IPv6 form that embeds one is refused. What is no address is refused. `vectors/addresses.json` is the table.
 */
export function judgeAddress(
  address: string,
  policy: AddressPolicy,
): AddressJudgement {
  const parsed = parseAddress(address);
  if (parsed === undefined) return { allowed: false, why: "not an IP address" };
  const bytes = unmapped(parsed);
  if (policy.allowedCidrs.some((cidr) => isWithin(bytes, cidr)))
    return { allowed: true };

  const refused = bytes.length === 4 ? REFUSED_IPV4 : REFUSED_IPV6;
  const range = refused.find(({ cidr }) => isWithin(bytes, cidr));
  if (range !== undefined) return { allowed: false, why: range.why };
  if (bytes.length === 16 && !isWithinAny(bytes, GLOBAL_UNICAST))
    return { allowed: false, why: "not global unicast" };
  return { allowed: true };
}

/** Whether an address lies in one of the blocks: the only pass for a refused name. */
export function isInCidrs(address: string, cidrs: readonly Cidr[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && isWithinAny(unmapped(parsed), cidrs);
}

function isWithinAny(bytes: AddressBytes, cidrs: readonly Cidr[]): boolean {
  return cidrs.some((cidr) => isWithin(bytes, cidr));
}

function ranges(
  table: Readonly<Record<string, string>>,
): readonly { readonly cidr: Cidr; readonly why: string }[] {
  return Object.entries(table).flatMap(([text, why]) =>
    parseCidrs(text).map((cidr) => ({ cidr, why })),
  );
}
