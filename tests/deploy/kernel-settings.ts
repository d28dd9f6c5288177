import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** The kubelet sets these, and no sandbox keeps them apart from the machine's. */
const CHANGED = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxbytes",
  "kernel/keys/root_maxkeys",
].map((name) => `/proc/sys/${name}`);

/** Remembers settings of the kernel. Returns a function that sets them again. */
export function keepKernelSettings(): () => void {
  const kept = CHANGED.filter((path) => existsSync(path)).map(
    (path) => [path, readFileSync(path, "utf8")] as const,
  );
  return () => {
    for (const [path, value] of kept)
      if (readFileSync(path, "utf8") !== value) writeFileSync(path, value);
  };
}
