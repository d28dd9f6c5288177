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

/** IPv4 special-purpose ranges (IANA), and 168.63.129.16: it looks public, but Azure's own platform answers there. */
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

/**
 * Refused ranges inside 2000::/3: not public, or with an IPv4 address embedded. Everything outside 2000::/3 is refused
 * anyway, because only 2000::/3 is global unicast.
 */
const REFUSED_IPV6 = ranges({
  "2001::/23": "IETF protocol assignments",
  "2001:db8::/32": "documentation",
  "2002::/16": "6to4",
  "3fff::/20": "documentation",
});
const GLOBAL_UNICAST = parseCidrs("2000::/3");

/**
 * Whether a request may be sent to an address. An IPv4 address inside `::ffff:0:0/96` is judged as that IPv4 address;
 * every other IPv6 form that embeds an IPv4 address is refused. A text that is not an IP address is refused. Test cases:
 * `vectors/addresses.json`.
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

/** Whether an address lies in one of the blocks. A local name (`localhost`, `db.internal`) may be called only if this is true. */
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
