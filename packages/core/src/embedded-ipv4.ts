import { type AddressBytes, isWithin, parseCidrs } from "./address.ts";

/**
 * The IPv4 address inside an IPv6 one to which a translator or tunnel may carry what is sent there; undefined if there is
 * none. Knows the forms below. `::` and `::1` hold none. A NAT64 prefix of one's own looks like any other IPv6 address.
 * `::ffff:0:0/96` is not among the forms: `unmapped` makes it IPv4 first.
 */
export function embeddedIpv4(address: AddressBytes): AddressBytes | undefined {
  if (address.length !== 16 || isWithin(address, NEITHER)) return undefined;
  const form = FORMS.find(({ cidr }) => isWithin(address, cidr));
  return form?.inner(address);
}

const NEITHER = theBlock("::/127");

const last = (address: AddressBytes): AddressBytes => address.slice(12);

const FORMS = [
  { cidr: theBlock("::/96"), inner: last }, // IPv4-compatible (RFC 4291)
  { cidr: theBlock("::ffff:0:0:0/96"), inner: last }, // translated (SIIT, RFC 2765)
  { cidr: theBlock("64:ff9b::/96"), inner: last }, // NAT64 (RFC 6052)
  // Local NAT64 (RFC 8215). Its operator may place the IPv4 address elsewhere, but a /96 inside is the usual choice.
  { cidr: theBlock("64:ff9b:1::/48"), inner: last },
  {
    cidr: theBlock("2002::/16"), // 6to4 (RFC 3056)
    inner: (address: AddressBytes) => address.slice(2, 6),
  },
  {
    cidr: theBlock("2001::/32"), // Teredo (RFC 4380): the client's address, inverted
    inner: (address: AddressBytes) => last(address).map((byte) => byte ^ 0xff),
  },
];

function theBlock(text: string) {
  const [cidr] = parseCidrs(text);
  if (cidr === undefined) throw new RangeError(`"${text}" is no block`);
  return cidr;
}
