/**
 * A Kubernetes of one node, made of child processes, in the sandbox of the deployment tests: ports, rules and mounts are the
 * sandbox's own, so every part has its usual port. Nobody else can reach the node, and all of it ends with the sandbox.
 */
import { mkdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { cgroupOf } from "../sandbox.ts";
import { run } from "../shell.ts";
import type { Binaries } from "./binaries.ts";
import { makeCertificates, writeKubeconfig } from "./certificates.ts";
import { makePodGroup } from "./cgroups.ts";
import { startDns } from "./cluster-dns.ts";
import { loadImages, startContainerd } from "./container-runtime.ts";
import { API_SERVER, startControlPlane } from "./control-plane.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { startKubelet, startProxy } from "./kubelet.ts";
import { makeNetwork } from "./network.ts";
import { createParts, type Parts } from "./node-parts.ts";

export interface Cluster {
  readonly kubectl: Kubectl;
  readonly nodeName: string;
  /** Copies the images of an archive to the node, and removes the archive. */
  load(archive: string): Promise<void>;
  /** Ends the parts of the node. Pods go on until the sandbox ends. */
  stop(): Promise<void>;
}

/** Starts the node, with its files below the sandbox's `folder`. If that fails, ends what was started. */
export async function startCluster(
  binaries: Binaries,
  sandboxFolder: string,
): Promise<Cluster> {
  const folder = join(sandboxFolder, "node");
  mkdirSync(folder);
  const nodeName = hostname().toLowerCase();
  const parts = createParts(folder);
  try {
    const podGroup = makePodGroup(cgroupOf(sandboxFolder));
    const kubectl = await startAll({
      binaries,
      folder,
      nodeName,
      podGroup,
      parts,
    });
    const load = async (archive: string): Promise<void> => {
      await loadImages(folder, archive);
      rmSync(archive);
    };
    return { kubectl, nodeName, load, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function startAll(options: {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly nodeName: string;
  readonly podGroup: string;
  readonly parts: Parts;
}): Promise<Kubectl> {
  const { binaries, folder, nodeName, podGroup, parts } = options;
  const { start } = parts;
  const keys = join(folder, "certificates");
  mkdirSync(keys);
  const certificates = await makeCertificates(keys, nodeName);
  const { authority, admin, kubelet } = certificates;
  const configFor = (name: string, user: typeof admin): string => {
    const path = join(folder, `${name}.kubeconfig`);
    return writeKubeconfig(path, { authority, user, server: API_SERVER });
  };
  const kubeconfig = configFor("admin", admin);
  const kubectl = createKubectl(binaries, kubeconfig, folder);

  await hideFixedFolders();
  await makeNetwork(folder);
  await Promise.all([
    startControlPlane({ folder, binaries, certificates, kubeconfig, start }),
    startContainerd(folder, start),
  ]);
  await startKubelet({
    folder,
    binaries,
    podGroup,
    authority,
    kubeconfig: configFor("kubelet", kubelet),
    start,
  });
  await startProxy({ binaries, kubeconfig, start });
  const { coredns } = binaries;
  await startDns({ folder, coredns, kubeconfig, kubectl, start });
  return kubectl;
}

/** The kubelet and the network plugins also write into folders that cannot be chosen. In the sandbox, these are empty and end with it. */
async function hideFixedFolders(): Promise<void> {
  for (const folder of ["/var/log", "/var/lib/cni"]) {
    mkdirSync(folder, { recursive: true });
    await run("mount", ["-t", "tmpfs", "tmpfs", folder]);
  }
}
