import { judgeAddress, parseCidrs, type UrlPolicy } from "@postrider/core";
import type { JudgedAddress, JudgedUrl } from "./judged-url.ts";
import { isOfPlatform } from "./platform-addresses.ts";

const WHERE = "for ingest, control and the dispatcher, and start them again";

/** What to change so that a refused URL is allowed, one sentence for each cause; nothing for one that is allowed. */
export function adviceFor(
  report: JudgedUrl,
  policy: UrlPolicy,
): readonly string[] {
  const { verdict, urlRefusal, addresses, host, isLocalName } = report;
  if (verdict === "allowed") return [];
  if (verdict === "unresolved")
    return [
      `Make ${host} resolve where the dispatcher runs, or correct the URL. Until then each attempt fails as dns_error and is retried.`,
    ];
  if (host === null) return ["Correct the URL. No setting allows it."];
  const steps: string[] = [];
  if (urlRefusal?.rule === "scheme")
    steps.push(`Use https, or set POSTRIDER_ALLOW_HTTP=true ${WHERE}.`);
  const blocked = addresses.filter(({ mayBeCalled }) => !mayBeCalled);
  // Of a public name one address is enough.
  const isReached = !isLocalName && blocked.length < addresses.length;
  if (!isReached) steps.push(...liftings(blocked, policy));
  if (urlRefusal?.rule === "local_name" && addresses.length === 0)
    steps.push(
      `Set POSTRIDER_ALLOW_CIDRS to the addresses of ${host} ${WHERE}: a local name may only lead there.`,
    );
  return steps;
}

/** How to let all of these addresses be called. */
function liftings(
  blocked: JudgedUrl["addresses"],
  policy: UrlPolicy,
): string[] {
  const denied = blocked.filter(({ rule }) => rule === "denied_cidr");
  const cidrs = [...new Set(denied.map(({ cidr }) => cidr))];
  const missing = new Set(
    blocked
      .filter((each) => !denied.includes(each))
      .flatMap((each) => missingFor(each, policy)),
  );
  const ofPlatform = [...missing].filter(isOfPlatform);
  for (const address of ofPlatform) missing.delete(address);
  const allowed = policy.allowedCidrs.map(({ text }) => text);
  return [
    ...(cidrs.length === 0
      ? []
      : [
          `Take ${cidrs.join(", ")} out of POSTRIDER_DENY_CIDRS ${WHERE}. POSTRIDER_ALLOW_CIDRS cannot override it.`,
        ]),
    ...(ofPlatform.length === 0
      ? []
      : [
          `Leave ${ofPlatform.join(", ")} refused: cloud platforms give their credentials out at such addresses.`,
        ]),
    ...(missing.size === 0
      ? []
      : [
          `Only if the receiver is yours: set POSTRIDER_ALLOW_CIDRS=${[...allowed, ...missing].join(",")} ${WHERE}.`,
        ]),
  ];
}

/** What must be allowed so that one address is. An allowed NAT64 address may hold an IPv4 address that must be allowed, too. */
function missingFor(
  { address, ipv4, rule }: JudgedAddress,
  policy: UrlPolicy,
): string[] {
  if (rule === "not_an_address") return []; // one with a zone: no service would start with such a block
  if (ipv4 !== null) return [ipv4];
  const allowedCidrs = [...policy.allowedCidrs, ...parseCidrs(address)];
  const then = judgeAddress(address, { ...policy, allowedCidrs });
  const inside = then.allowed ? undefined : then.ipv4;
  return inside === undefined ? [address] : [address, inside];
}
