import {
  isAllowedFor,
  judgeAddress,
  judgeUrl,
  type AddressJudgement,
  type UrlPolicy,
} from "@postrider/core";
import { isIP } from "node:net";
import { shownUrl } from "../shown-url.ts";
import { adviceFor } from "./address-advice.ts";
import type { JudgedAddress, JudgedUrl } from "./judged-url.ts";
import { isOfPlatform } from "./platform-addresses.ts";

export interface AddressReport extends JudgedUrl {
  /** What to do so that it is allowed. */
  readonly next: readonly string[];
  /** What is allowed, and should not be. */
  readonly warnings: readonly string[];
}

/** All addresses of a name; rejects if it has none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** Judges a URL and every address of its host as the services do: the URL when it is registered, each address when it is called. */
export async function reportAddress(
  url: string,
  policy: UrlPolicy,
  lookUp: LookUp,
): Promise<AddressReport> {
  const judged = judgeUrl(url, policy);
  const urlRefusal = judged.ok
    ? null
    : { rule: judged.rule, message: judged.message };
  const host = hostOf(url, urlRefusal?.rule ?? null);
  const isLocalName = host !== null && isLocal(host);
  const base = { url: shownUrl(url), host, isLocalName, urlRefusal };
  let addresses: readonly JudgedAddress[] = [];
  let failure: unknown = null;
  if (host !== null)
    try {
      const found = isIP(host) === 0 ? await lookUp(host) : [host];
      addresses = found.map((address) => judge(address, isLocalName, policy));
    } catch (error) {
      failure = error;
    }
  const concluded = {
    ...base,
    addresses,
    ...verdictOf(base, addresses, failure),
  };
  return {
    ...concluded,
    next: adviceFor(concluded, policy),
    warnings: warningsOf(addresses),
  };
}

function warningsOf(addresses: readonly JudgedAddress[]): readonly string[] {
  return addresses
    .filter(({ mayBeCalled, address }) => mayBeCalled && isOfPlatform(address))
    .map(
      ({ address, cidr }) =>
        `${address} may be called, because POSTRIDER_ALLOW_CIDRS has ${cidr}. Cloud platforms give their credentials out at such addresses: whoever may register an endpoint may ask for them. Add it to POSTRIDER_DENY_CIDRS, which wins.`,
    );
}

/** Refusals by which the host is still worth looking up: a setting could lift them. */
const LIFTED_BY_SETTINGS: ReadonlySet<string | null> = new Set([
  null,
  "scheme",
  "address",
  "local_name",
]);

function hostOf(url: string, rule: string | null): string | null {
  const parsed = URL.parse(url);
  const isHttp = parsed !== null && /^https?:$/.test(parsed.protocol);
  if (!isHttp || !LIFTED_BY_SETTINGS.has(rule)) return null;
  return parsed.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** By the rule of `judgeUrl`, which refuses local names where no block is allowed. */
function isLocal(host: string): boolean {
  if (isIP(host) !== 0) return false;
  const none = { allowHttp: false, allowedCidrs: [], deniedCidrs: [] };
  return !judgeUrl(`https://${host}/`, none).ok;
}

function judge(
  address: string,
  isLocalName: boolean,
  policy: UrlPolicy,
): JudgedAddress {
  const judgement = judgeAddress(address, policy);
  const { rule, cidr } = judgement;
  const ipv4 = judgement.allowed ? null : (judgement.ipv4 ?? null);
  const mayBeCalled = isAllowedFor({ isLocal: isLocalName }, judgement);
  return {
    address,
    mayBeCalled,
    rule,
    cidr,
    ipv4,
    why: `${ipv4 === null ? "" : `${ipv4} inside: `}${whyOf(judgement, mayBeCalled)}`,
  };
}

function whyOf(judgement: AddressJudgement, mayBeCalled: boolean): string {
  const { cidr } = judgement;
  switch (judgement.rule) {
    case "allowed_cidr":
      return `in ${cidr} of POSTRIDER_ALLOW_CIDRS`;
    case "denied_cidr":
      return `in ${cidr} of POSTRIDER_DENY_CIDRS`;
    case "public":
      return mayBeCalled
        ? "a public address"
        : "a public address, but of a local name, which may only lead into POSTRIDER_ALLOW_CIDRS";
    case "special_range":
    case "not_global_unicast":
    case "not_an_address":
      return cidr === null ? judgement.why : `${judgement.why} (${cidr})`;
  }
}

function verdictOf(
  {
    urlRefusal,
    host,
    isLocalName,
  }: Pick<JudgedUrl, "urlRefusal" | "host" | "isLocalName">,
  addresses: readonly JudgedAddress[],
  failure: unknown,
): Pick<JudgedUrl, "verdict" | "why"> {
  if (urlRefusal !== null)
    return { verdict: "refused", why: `The URL: ${urlRefusal.message}.` };
  if (failure !== null || addresses.length === 0) {
    const code = (failure as NodeJS.ErrnoException | null)?.code;
    return {
      verdict: "unresolved",
      why: `${host} has no address here${code === undefined ? "" : ` (${code})`}.`,
    };
  }
  const usable = addresses.filter(({ mayBeCalled }) => mayBeCalled);
  // As the dispatcher's guard does: of a public name the allowed addresses are used, of a local name all or none.
  const isAllowed = isLocalName
    ? usable.length === addresses.length
    : usable.length > 0;
  if (!isAllowed)
    return {
      verdict: "refused",
      why:
        usable.length === 0
          ? `No address of ${host} may be called.`
          : `${host} is a local name, and not every address of it may be called.`,
    };
  return {
    verdict: "allowed",
    why:
      usable.length === addresses.length
        ? "Deliveries may go there."
        : `Deliveries may go there, but only to ${usable.map(({ address }) => address).join(", ")}.`,
  };
}
