/** Services by name: CoreDNS as a process of the host, which pods reach by the address of a Service. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "./kubectl.ts";
import { HOST_ADDRESS } from "./network.ts";
import { answers, type StartPart } from "./node-parts.ts";

/** The address that the kubelet writes into each pod's resolv.conf. */
export const DNS_SERVICE = "10.96.0.10";

const PORTS = [
  { name: "dns", port: 53, protocol: "UDP" },
  { name: "dns-tcp", port: 53, protocol: "TCP" },
];

export async function startDns(options: {
  readonly folder: string;
  readonly coredns: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  readonly start: StartPart;
}): Promise<void> {
  const { folder, coredns, kubeconfig, kubectl, start } = options;
  const metadata = { name: "kube-dns", namespace: "kube-system" };
  const slice = {
    ...metadata,
    labels: { "kubernetes.io/service-name": "kube-dns" },
  };
  await kubectl.apply(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { clusterIP: DNS_SERVICE, ports: PORTS },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: slice,
      addressType: "IPv4",
      ports: PORTS,
      endpoints: [{ addresses: [HOST_ADDRESS], conditions: { ready: true } }],
    },
  );
  const config = join(folder, "Corefile");
  writeFileSync(config, corefile(kubeconfig));
  await start({
    name: "coredns",
    command: coredns,
    args: ["-conf", config],
    isReady: () => answers("http://127.0.0.1:8181/ready"),
  });
}

/** Names outside of the cluster do not exist: nothing leaves this machine. */
function corefile(kubeconfig: string): string {
  return `cluster.local {
  bind ${HOST_ADDRESS}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local {
    kubeconfig ${kubeconfig}
  }
}
. {
  bind ${HOST_ADDRESS}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
