/** The kubelet and kube-proxy. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { DNS_SERVICE } from "./cluster-dns.ts";
import { runtimeSocket } from "./container-runtime.ts";
import { POD_RANGE } from "./network.ts";
import { answers, type StartPart } from "./node-parts.ts";

export interface KubeletOptions {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly authority: string;
  /** The control group of all pods. */
  readonly podGroup: string;
  readonly kubeconfig: string;
  readonly start: StartPart;
}

export async function startKubelet(options: KubeletOptions): Promise<void> {
  const { folder, binaries, kubeconfig, start } = options;
  const config = join(folder, "kubelet.json");
  writeFileSync(config, JSON.stringify(kubeletSettings(options), null, 2));
  writeFileSync(join(folder, "resolv.conf"), "");
  // Without --node-ip, the kubelet finds an address itself. It refuses the loopback's, and without one kube-proxy has no node.
  await start({
    name: "kubelet",
    command: binaries.kube,
    args: [
      "kubelet",
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${join(folder, "kubelet")}`,
      `--cert-dir=${join(folder, "kubelet-certificates")}`,
    ],
    isReady: () => answers("http://127.0.0.1:10248/healthz"),
  });
}

function kubeletSettings({
  folder,
  podGroup,
  authority,
}: KubeletOptions): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: authority },
    },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: podGroup,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [DNS_SERVICE],
    clusterDomain: "cluster.local",
    resolvConf: join(folder, "resolv.conf"),
    containerRuntimeEndpoint: `unix://${runtimeSocket(folder)}`,
    podLogsDir: join(folder, "pod-logs"),
    // A disk that is nearly full must neither evict pods nor remove the images that no registry has.
    evictionHard: {
      "memory.available": "10Mi",
      "nodefs.available": "1%",
      "imagefs.available": "1%",
      "nodefs.inodesFree": "1%",
    },
    imageGCHighThresholdPercent: 100,
  };
}

export interface ProxyOptions {
  readonly binaries: Binaries;
  readonly kubeconfig: string;
  readonly start: StartPart;
}

export async function startProxy({
  binaries,
  kubeconfig,
  start,
}: ProxyOptions): Promise<void> {
  await start({
    name: "kube-proxy",
    command: binaries.kube,
    args: [
      "kube-proxy",
      `--kubeconfig=${kubeconfig}`,
      "--proxy-mode=iptables",
      `--cluster-cidr=${POD_RANGE}`,
      // On one bridge, an answer would go past the host and keep the pod's own address, which the client does not know.
      "--masquerade-all",
      // No settings of the kernel are changed.
      "--conntrack-max-per-core=0",
      "--conntrack-tcp-timeout-established=0s",
      "--conntrack-tcp-timeout-close-wait=0s",
      "--iptables-localhost-nodeports=false",
    ],
    isReady: () => answers("http://127.0.0.1:10256/healthz"),
  });
}
