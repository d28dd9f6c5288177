import { judgeAddress, parseCidrs } from "@postrider/core";

/** Link-local addresses, and those outside of them where cloud platforms answer their machines: AWS, Azure, GCP, Alibaba, Oracle. */
const PLATFORM = parseCidrs(
  "169.254.0.0/16,fe80::/10,168.63.129.16,100.100.100.200,192.0.0.192,fd00:ec2::254,fd20:ce::254",
);

/** Whether a platform may give out its credentials at the address, also behind NAT64 and the like. */
export function isOfPlatform(address: string): boolean {
  const policy = { allowedCidrs: [], deniedCidrs: PLATFORM };
  return judgeAddress(address, policy).rule === "denied_cidr";
}
