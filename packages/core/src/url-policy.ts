import { parseAddress } from "./address.ts";
import { type AddressPolicy, judgeAddress } from "./address-policy.ts";
import { parseUrl } from "./web-globals.ts";

export interface UrlPolicy extends AddressPolicy {
  /** Whether plain http may be used. */
  readonly allowHttp: boolean;
}

/** A URL taken apart after WHATWG normalisation. */
export interface UrlParts {
  readonly href: string;
  /** `https://example.com:8443`. */
  readonly origin: string;
  readonly protocol: "http:" | "https:";
  /** As in a URL: an IPv6 address has brackets. */
  readonly hostname: string;
  /** The host if it is an IP address, without brackets; `null` if it is a name. */
  readonly address: string | null;
  readonly port: number;
  /** Path and query, as in a request line. */
  readonly path: string;
}

export type UrlJudgement =
  | {
      readonly ok: true;
      readonly url: UrlParts;
      /** The host is a local name. It may be called only if every address it resolves to lies in the allowed CIDRs (`isAllowedFor`). */
      readonly needsAllowedCidr: boolean;
    }
  | { readonly ok: false; readonly rule: string; readonly message: string };

const MAX_LENGTH = 2_048;

/** Suffixes of names that resolve only inside a private network (RFC 6761, 6762, 8375, ICANN's reserved names, and names in common internal use). */
const LOCAL_SUFFIXES = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
];

/**
 * Whether Postrider may send to a URL, before any name is resolved. Judges the URL as the WHATWG parser normalises it, so
 * `http://2130706433/` is judged as 127.0.0.1. A local name is refused if no CIDRs are allowed; otherwise its resolved
 * addresses decide (`needsAllowedCidr`).
 */
export function judgeUrl(text: string, policy: UrlPolicy): UrlJudgement {
  if (text === "") return refused("required", "a URL is required");
  if (text.length > MAX_LENGTH)
    return refused("length", `at most ${MAX_LENGTH} characters`);
  // the parser would strip tabs and line feeds silently
  if (/[\p{Cc} ]/u.test(text))
    return refused("characters", "no spaces or control characters");
  const url = parseUrl(text);
  // the parser accepts empty labels, which would hide a local suffix: `db.internal..`
  if (url === null || url.hostname === "" || hasEmptyLabel(url.hostname))
    return refused("syntax", "not a valid URL with a host");
  const { protocol } = url;
  if (protocol !== "https:" && protocol !== "http:")
    return refused(
      "scheme",
      `the scheme must be ${policy.allowHttp ? "https or http" : "https"}`,
    );
  if (protocol === "http:" && !policy.allowHttp)
    return refused("scheme", "the scheme must be https; http is not allowed");
  if (url.username !== "" || url.password !== "")
    return refused("no_userinfo", "no user name or password in a URL");
  // the parser accepts port 0, but no connection to it can be made
  if (url.port === "0")
    return refused("port", "port 0 is not a port that a request can go to");

  const address = addressOf(url.hostname);
  if (address !== null) {
    const judgement = judgeAddress(address, policy);
    if (!judgement.allowed)
      return refused("address", `requests to it are refused: ${judgement.why}`);
  }
  const needsAllowedCidr = address === null && isLocalName(url.hostname);
  if (needsAllowedCidr && policy.allowedCidrs.length === 0)
    return refused("local_name", "a local name, not a public host");
  const parts: UrlParts = {
    href: url.href,
    origin: url.origin,
    protocol,
    hostname: url.hostname,
    address,
    port: Number(url.port || (protocol === "https:" ? 443 : 80)),
    path: url.pathname + url.search,
  };
  return { ok: true, url: parts, needsAllowedCidr };
}

/** One dot at the end is allowed: it makes a name absolute. */
function hasEmptyLabel(hostname: string): boolean {
  return hostname.startsWith(".") || hostname.includes("..");
}

function isLocalName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "");
  if (!name.includes(".")) return true;
  return (
    LOCAL_SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`)) ||
    name === "home.arpa"
  );
}

function addressOf(hostname: string): string | null {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return parseAddress(bare) === undefined ? null : bare;
}

function refused(rule: string, message: string): UrlJudgement {
  return { ok: false, rule, message };
}
