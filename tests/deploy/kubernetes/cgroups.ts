import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const CGROUPS = "/sys/fs/cgroup";

/** Makes the control group below which the kubelet keeps those of pods; the sandbox removes it. Returns its path below each controller. */
export function makePodGroup(name: string): string {
  // With cgroup v2 there is one tree, without folders for controllers.
  const isOneTree = existsSync(join(CGROUPS, "cgroup.controllers"));
  const roots = isOneTree
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
  for (const root of roots) {
    const group = join(root, name);
    mkdirSync(group, { recursive: true });
    // A new group of v1 has no processor and no memory until it is given some.
    for (const what of ["cpuset.cpus", "cpuset.mems"])
      if (!isOneTree && existsSync(join(group, what)))
        writeFileSync(join(group, what), readFileSync(join(root, what)));
  }
  return `/${name}`;
}
