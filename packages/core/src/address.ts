/** An IP address as its bytes: 4 or 16, network order. */
export type AddressBytes = readonly number[];

/** A block of addresses. `bits` is the prefix length. */
export interface Cidr {
  /** As it was written. */
  readonly text: string;
  readonly bytes: AddressBytes;
  readonly bits: number;
}

/** IPv4 in four decimal parts, or IPv6 in any spelling of RFC 4291. No zone, no brackets, no octal or hex IPv4. */
export function parseAddress(text: string): AddressBytes | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Reads a comma-separated list of blocks; an address without `/` is a block of one, and a block inside `::ffff:0:0/96` is the block of IPv4 addresses that it maps. Throws `RangeError` naming the wrong entry. */
export function parseCidrs(text: string): Cidr[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map(parseCidr);
}

function parseCidr(text: string): Cidr {
  const [address = "", length, ...more] = text.split("/");
  const bytes = parseAddress(address);
  const all = (bytes?.length ?? 0) * 8;
  const bits = length === undefined ? all : parseDecimal(length, all);
  if (bytes === undefined || bits === undefined || more.length > 0)
    throw new RangeError(
      `"${text}" is not a block of addresses such as 10.0.0.0/8 or fd00::/8`,
    );
  // Addresses are compared unmapped, so a block of mapped addresses would match none: as a denied block it would fail open.
  const inner = unmapped(bytes);
  const isMapped = inner.length < bytes.length && bits >= 96;
  return isMapped
    ? { text, bytes: inner, bits: bits - 96 }
    : { text, bytes, bits };
}

/** Whether an address lies in a block. An IPv4 address never lies in an IPv6 block, nor the other way round. */
export function isWithin(address: AddressBytes, cidr: Cidr): boolean {
  if (address.length !== cidr.bytes.length) return false;
  for (let at = 0, left = cidr.bits; left > 0; at += 1, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((address[at] ?? 0) ^ (cidr.bytes[at] ?? 0)) & mask) return false;
  }
  return true;
}

/** The IPv4 address inside `::ffff:0:0/96`; any other address as it is. */
export function unmapped(address: AddressBytes): AddressBytes {
  const isMapped =
    address.length === 16 &&
    address.slice(0, 10).every((byte) => byte === 0) &&
    address[10] === 0xff &&
    address[11] === 0xff;
  return isMapped ? address.slice(12) : address;
}

function parseIpv4(text: string): AddressBytes | undefined {
  const parts = text.split(".").map((part) => parseDecimal(part, 255));
  if (parts.length !== 4) return undefined;
  return parts.includes(undefined) ? undefined : (parts as number[]); // none is undefined, as just tested
}

function parseIpv6(text: string): AddressBytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  const isWhole = halves.length === 2 ? missing >= 2 : missing === 0;
  if (!isWhole) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** Groups between colons; only the very end of an address may be dotted IPv4. */
function parseGroups(
  text: string,
  mayEndInIpv4: boolean,
): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (group.includes(".")) {
      const ipv4 = parseIpv4(group);
      const isLast = index === groups.length - 1;
      if (ipv4 === undefined || !isLast || !mayEndInIpv4) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** A number from 0 to `max`, at most three digits. No sign and no leading zero: some parsers read `010` as octal 8. */
function parseDecimal(text: string, max: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  return Number(text) <= max ? Number(text) : undefined;
}
