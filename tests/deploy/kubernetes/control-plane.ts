/** etcd, the API server, the controllers and the scheduler. */
import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import type { Certificates } from "./certificates.ts";
import { SERVICE_RANGE } from "./network.ts";
import { answers, type StartPart } from "./node-parts.ts";

const ETCD = "http://127.0.0.1:2379";
export const API_SERVER = "https://127.0.0.1:6443";

export interface ControlPlaneOptions {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly certificates: Certificates;
  /** The administrator's. */
  readonly kubeconfig: string;
  readonly start: StartPart;
}

export async function startControlPlane(
  options: ControlPlaneOptions,
): Promise<void> {
  await startEtcd(options);
  await startApiServer(options);
  await Promise.all([startControllers(options), startScheduler(options)]);
}

async function startEtcd({
  folder,
  start,
}: ControlPlaneOptions): Promise<void> {
  const peer = "http://127.0.0.1:2380";
  await start({
    name: "etcd",
    command: "etcd",
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      // The data need not outlive the machine.
      "--unsafe-no-fsync",
    ],
    isReady: () => answers(`${ETCD}/health`),
  });
}

async function startApiServer({
  folder,
  binaries,
  certificates,
  start,
}: ControlPlaneOptions): Promise<void> {
  const { apiServer, admin, authority, tokens } = certificates;
  await start({
    name: "kube-apiserver",
    command: binaries.kube,
    args: [
      "kube-apiserver",
      `--etcd-servers=${ETCD}`,
      "--bind-address=127.0.0.1",
      "--secure-port=6443",
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${apiServer.certificate}`,
      `--tls-private-key-file=${apiServer.key}`,
      `--client-ca-file=${authority}`,
      "--authorization-mode=Node,RBAC",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${tokens.publicKey}`,
      `--service-account-signing-key-file=${tokens.privateKey}`,
      `--kubelet-client-certificate=${admin.certificate}`,
      `--kubelet-client-key=${admin.key}`,
      // The node's name is in no DNS, so the kubelet is reached by its address.
      "--kubelet-preferred-address-types=InternalIP",
    ],
    isReady: () => answers(`${API_SERVER}/readyz`),
  });
}

async function startControllers({
  binaries,
  certificates,
  kubeconfig,
  start,
  folder,
}: ControlPlaneOptions): Promise<void> {
  await start({
    name: "kube-controller-manager",
    command: binaries.kube,
    args: [
      "kube-controller-manager",
      `--kubeconfig=${kubeconfig}`,
      `--cert-dir=${folder}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      `--root-ca-file=${certificates.authority}`,
      `--service-account-private-key-file=${certificates.tokens.privateKey}`,
      // On a busy machine the only node must not be given up.
      "--node-monitor-grace-period=5m",
    ],
    isReady: () => answers("https://127.0.0.1:10257/healthz"),
  });
}

async function startScheduler({
  binaries,
  kubeconfig,
  start,
  folder,
}: ControlPlaneOptions): Promise<void> {
  await start({
    name: "kube-scheduler",
    command: binaries.kube,
    args: [
      "kube-scheduler",
      `--kubeconfig=${kubeconfig}`,
      `--cert-dir=${folder}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
    ],
    isReady: () => answers("https://127.0.0.1:10259/healthz"),
  });
}
