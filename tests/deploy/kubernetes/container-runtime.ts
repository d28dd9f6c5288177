/** containerd, with all of its files in the node's folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CNI_PLUGINS } from "./network.ts";
import type { StartPart } from "./node-parts.ts";
import { run } from "../shell.ts";
import { PAUSE_IMAGE } from "./images.ts";

/** The namespace in which the kubelet looks for images. */
const NAMESPACE = "k8s.io";

export function runtimeSocket(folder: string): string {
  return join(folder, "containerd.sock");
}

export async function startContainerd(
  folder: string,
  start: StartPart,
): Promise<void> {
  mkdirSync(join(folder, "containerd"));
  const config = join(folder, "containerd.toml");
  writeFileSync(config, settings(folder));
  await start({
    name: "containerd",
    command: "containerd",
    args: ["--config", config],
    isReady: async () => (await ctr(folder, "version")).includes("Server"),
  });
}

/** Loads the images of an archive that `docker save` has written. */
export async function loadImages(
  folder: string,
  archive: string,
): Promise<void> {
  await ctr(folder, "-n", NAMESPACE, "images", "import", archive);
}

async function ctr(
  folder: string,
  ...args: readonly string[]
): Promise<string> {
  return await run("ctr", ["-a", runtimeSocket(folder), ...args]);
}

function settings(folder: string): string {
  const at = (name: string): string => JSON.stringify(join(folder, name));
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${at("containerd/root")}
state = ${at("containerd/state")}

[grpc]
  address = ${JSON.stringify(runtimeSocket(folder))}

[plugins."io.containerd.internal.v1.opt"]
  path = ${at("containerd/opt")}

[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  # Without the right to lower a process's oom_score_adj, every sandbox would fail with "can't get final child's PID from pipe".
  restrict_oom_score_adj = true

[${cri}.cni]
  bin_dir = "${CNI_PLUGINS}"
  conf_dir = ${at("cni")}

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}
