/** The node's network, inside of the sandbox: one bridge, on which every pod has an address and the host has the first one. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../shell.ts";

const BRIDGE = "postrider0";
/** The host's address on the bridge. It is the node's, too, and pods reach what listens on it: CoreDNS, and the tests' receiver. */
export const HOST_ADDRESS = "10.244.0.1";
export const POD_RANGE = "10.244.0.0/24";
export const SERVICE_RANGE = "10.96.0.0/16";

/** The folder of Debian's package `containernetworking-plugins`. */
export const CNI_PLUGINS = "/usr/lib/cni";

/** Makes the bridge and writes the settings of the network plugins to `folder`/cni. */
export async function makeNetwork(folder: string): Promise<void> {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  await run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
  await run("ip", ["addr", "add", `${HOST_ADDRESS}/24`, "dev", BRIDGE]);
  await run("ip", ["link", "set", BRIDGE, "up"]);
  // The kubelet and the API server take the address of the default route's interface, and Services are reached by it.
  await run("ip", ["route", "add", "default", "dev", BRIDGE]);
  // The engine refuses what is forwarded by default, so what comes from or goes to our bridge is allowed by name.
  for (const way of ["-i", "-o"])
    await run("iptables", ["-w", "-I", "FORWARD", way, BRIDGE, "-j", "ACCEPT"]);
  mkdirSync(join(folder, "cni"));
  const ipam = {
    type: "host-local",
    dataDir: join(folder, "addresses"),
    ranges: [[{ subnet: POD_RANGE, rangeStart: "10.244.0.10" }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = {
    type: "bridge",
    bridge: BRIDGE,
    isGateway: true,
    hairpinMode: true,
    ipMasq: false,
    ipam,
  };
  writeFileSync(
    join(folder, "cni", "postrider.conflist"),
    JSON.stringify({
      cniVersion: "0.4.0",
      name: "postrider",
      plugins: [bridge],
    }),
  );
}
