/**
 * The deployment tests run in namespaces of their own: network, mounts, processes. So ports, bridges, packet filters and
 * /run are theirs alone, several runs do not meet, and when the first process of the sandbox ends, for whatever reason, the
 * kernel ends all others: engine, containers, and what a part has started besides.
 */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { waitFor } from "@postrider/testkit";
import { keepKernelSettings } from "./kernel-settings.ts";

/** `/run` is empty, so no socket of the machine is found or hidden by one of ours. The shell reaps what loses its parent. */
const ENTER = `
mount -t tmpfs tmpfs /run
ip link set lo up
"$@"
`;

const NAMESPACES = [
  "--net",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
];

/** Runs this program again in the sandbox, with the variables; resolves to its exit code. Its folder, POSTRIDER_DEPLOY_FOLDER, is removed at the end. */
export async function enterSandbox(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  await sweep();
  const restoreKernelSettings = keepKernelSettings();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const child = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...NAMESPACES].concat(
      ["sh", "-ec", ENTER, "sh"],
      [process.execPath, ...args],
    ),
    {
      stdio: "inherit",
      env: {
        ...process.env,
        ...env,
        POSTRIDER_DEPLOY_FOLDER: folder,
        TMPDIR: folder, // what a program leaves there, such as the stacks of a containerd that was too slow, goes with it
      },
    },
  );
  // Ctrl-C reaches the sandbox, too, and ends it; we stay to clean up.
  const onSignal = (): void => void child.kill("SIGKILL");
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const code = await new Promise<number>((resolve) => {
    child.once("exit", (exitCode) => resolve(exitCode ?? 1));
    child.once("error", () => resolve(127));
  });
  restoreKernelSettings();
  await remove(folder);
  return code;
}

/** The folder's name has the pid of who made it. */
const PREFIX = "postrider-deploy-";

/** Removes what runs have left that were killed before they could. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = name.slice(PREFIX.length).split("-")[0] ?? "";
    if (!existsSync(`/proc/${pid}`)) await remove(join(tmpdir(), name));
  }
}

async function remove(folder: string): Promise<void> {
  await removeCgroups(cgroupOf(folder));
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** The control group of the containers of the sandbox with this folder, below that of each controller. */
export function cgroupOf(folder: string): string {
  return basename(folder);
}

const CGROUPS = "/sys/fs/cgroup";

/** Namespaces do not cover control groups: those of killed containers stay. Only empty ones can be removed, and a killed process leaves its group a moment later. */
async function removeCgroups(name: string): Promise<void> {
  const roots = [
    CGROUPS,
    ...readdirSync(CGROUPS).map((at) => join(CGROUPS, at)),
  ];
  for (const root of roots) {
    const group = join(root, name);
    if (existsSync(group))
      await waitFor(() => removeTree(group), { what: `${group} to be empty` });
  }
}

function removeTree(group: string): true {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  rmdirSync(group);
  return true;
}
