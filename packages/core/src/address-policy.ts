import {
  type AddressBytes,
  type Cidr,
  isWithin,
  parseAddress,
  parseCidrs,
  unmapped,
} from "./address.ts";
import { embeddedIpv4 } from "./embedded-ipv4.ts";

export interface AddressPolicy {
  /** Blocks that are allowed though the ranges below forbid them. */
  readonly allowedCidrs: readonly Cidr[];
  /** Blocks that are refused whatever else allows them. */
  readonly deniedCidrs: readonly Cidr[];
}

/** `cidr` is the block that decided, as it is written in the policy or below; null if none did. */
export type AddressJudgement =
  | {
      readonly allowed: true;
      /** `allowed_cidr`: a configured block allows it. `public`: nothing forbids it. */
      readonly rule: "allowed_cidr" | "public";
      readonly cidr: string | null;
    }
  | {
      readonly allowed: false;
      readonly rule:
        | "denied_cidr"
        | "special_range"
        | "not_global_unicast"
        | "not_an_address";
      readonly cidr: string | null;
      readonly why: string;
      /** The IPv4 address inside the IPv6 one, if it decided; else absent. */
      readonly ipv4?: string;
    };

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

/** The ranges above as texts, for the second wall: a network policy that refuses the same. */
export const REFUSED_RANGES = {
  ipv4: REFUSED_IPV4.map(({ cidr }) => cidr.text),
  globalUnicast: GLOBAL_UNICAST.map(({ text }) => text),
  ipv6: REFUSED_IPV6.map(({ cidr }) => cidr.text),
} as const;

/**
 * Whether a request may be sent to an address. A denied block wins over an allowed one, and an allowed one over the ranges
 * above. An IPv4 address inside `::ffff:0:0/96` is judged as that IPv4 address. Every other IPv6 form that embeds an IPv4
 * address (`embeddedIpv4`) is refused unless an allowed block holds it; even then the IPv4 address must not be denied, and
 * one in the ranges above must be allowed itself. A text that is not an IP address is refused. Test cases:
 * `vectors/addresses.json`.
 */
export function judgeAddress(
  address: string,
  policy: AddressPolicy,
): AddressJudgement {
  const parsed = parseAddress(address);
  if (parsed === undefined)
    return refused("not_an_address", null, "not an IP address");
  const bytes = unmapped(parsed);
  const denied = findBlock(bytes, policy.deniedCidrs);
  if (denied !== undefined)
    return refused("denied_cidr", denied, "denied by the operator");
  const inside = refusalInside(bytes, policy);
  if (inside?.rule === "denied_cidr") return inside;
  const exception = findBlock(bytes, policy.allowedCidrs);
  if (exception !== undefined)
    return (
      inside ?? { allowed: true, rule: "allowed_cidr", cidr: exception.text }
    );

  const special = bytes.length === 4 ? REFUSED_IPV4 : REFUSED_IPV6;
  const range = special.find(({ cidr }) => isWithin(bytes, cidr));
  if (range !== undefined)
    return refused("special_range", range.cidr, range.why);
  if (bytes.length === 16 && findBlock(bytes, GLOBAL_UNICAST) === undefined)
    return refused("not_global_unicast", null, "not global unicast");
  return { allowed: true, rule: "public", cidr: null };
}

/** Why the IPv4 address inside an IPv6 one is refused; undefined if it is allowed, or there is none. */
function refusalInside(
  bytes: AddressBytes,
  policy: AddressPolicy,
): Refusal | undefined {
  const ipv4 = embeddedIpv4(bytes)?.join(".");
  if (ipv4 === undefined) return undefined;
  const judgement = judgeAddress(ipv4, policy);
  return judgement.allowed ? undefined : { ...judgement, ipv4 };
}

/**
 * Whether a request to a name may go to one of its addresses. A local name (`localhost`, `db.internal`) may be called only
 * at addresses that a configured block allows.
 */
export function isAllowedFor(
  name: { readonly isLocal: boolean },
  judgement: AddressJudgement,
): boolean {
  return (
    judgement.allowed && (!name.isLocal || judgement.rule === "allowed_cidr")
  );
}

function findBlock(
  bytes: AddressBytes,
  cidrs: readonly Cidr[],
): Cidr | undefined {
  return cidrs.find((cidr) => isWithin(bytes, cidr));
}

type Refusal = Extract<AddressJudgement, { allowed: false }>;

function refused(
  rule: Refusal["rule"],
  cidr: Cidr | null,
  why: string,
): Refusal {
  return { allowed: false, rule, cidr: cidr?.text ?? null, why };
}

function ranges(
  table: Readonly<Record<string, string>>,
): readonly { readonly cidr: Cidr; readonly why: string }[] {
  return Object.entries(table).flatMap(([text, why]) =>
    parseCidrs(text).map((cidr) => ({ cidr, why })),
  );
}
