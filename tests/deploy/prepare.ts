/**
 * What the deployment tests need of the machine, and where it comes from. All of it is fetched here, before the sandbox is
 * entered, because the sandbox has no way out. What is downloaded or built stays in local-stack's cache.
 */
import { existsSync, mkdirSync, writeFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, cacheRoot } from "../../packages/local-stack/src/cache.ts";
import { findJava } from "../../packages/local-stack/src/java.ts";
import { kafkaFiles } from "../../packages/local-stack/src/kafka-files.ts";
import { registryFiles } from "../../packages/local-stack/src/registry-server.ts";
import { fetchedHelm, HELM_3, HELM_4 } from "../chart/helm.ts";
import { findBinaries, type Binaries } from "./kubernetes/binaries.ts";
import { run, runs } from "./shell.ts";

export interface Prepared {
  /** A root file system of Debian, as a tar. */
  readonly debian: string;
  readonly javaHome: string;
  readonly kafkaLibs: string;
  readonly registry: string;
  /** The program `docker-compose`; null if the machine's docker has compose already, or if it cannot be built. */
  readonly compose: string | null;
  readonly hasCompose: boolean;
  /** Helm 3 and Helm 4, or why one of them is not there. */
  readonly helms:
    | { readonly three: string; readonly four: string }
    | { readonly missing: string };
  /** The programs of a Kubernetes node, or why there are none. */
  readonly kubernetes: Binaries | { readonly missing: string };
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMPOSE = "github.com/docker/compose/v2/cmd@v2.29.7";

/** Why the tests cannot run here; null if they can. */
export function obstacle(): string | null {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.getuid?.() !== 0)
    return "it needs root: it starts a container engine of its own";
  if (!existsSync("/usr/bin/apt-get"))
    return "it needs Debian or Ubuntu: the engine comes by apt-get";
  return null;
}

/** Installs and downloads what is missing, and says so. The programs of Kubernetes take long to build: only if they are wanted. */
export async function prepare(wants: {
  readonly helm: boolean;
  readonly kubernetes: boolean;
}): Promise<Prepared> {
  await installPackages();
  const say = (text: string): void => console.log(`        ${text}`);
  const folder = join(cacheRoot(process.env), "deploy");
  const debian = await cached(
    join(folder, "debian-bookworm-slim.tar"),
    async (path) => {
      say("making a root file system of Debian (mmdebstrap)");
      await run("mmdebstrap", [
        "--variant=minbase",
        "--format=tar",
        "--include=ca-certificates,libstdc++6",
        "bookworm",
        path,
      ]);
    },
  );
  say("bundling Postrider (npm run bundle)");
  await run("npm", ["run", "bundle"], { cwd: ROOT });
  const kafka = await kafkaFiles(process.env, say);
  const java = await findJava(process.env);
  const hasOwnCompose = await runs("docker", ["compose", "version"]);
  const compose = hasOwnCompose ? null : await goProgram(folder, COMPOSE, say);
  return {
    debian,
    javaHome: dirname(dirname(java.command)),
    kafkaLibs: kafka.libs,
    registry: await registryFiles(process.env, say),
    compose,
    hasCompose: hasOwnCompose || compose !== null,
    helms: await helmPrograms(wants.helm),
    kubernetes: await kubernetesPrograms(wants.kubernetes, say),
  };
}

async function helmPrograms(isWanted: boolean): Promise<Prepared["helms"]> {
  if (!isWanted) return { missing: "it was not asked for" };
  try {
    const three = await fetchedHelm(HELM_3);
    return { three, four: await fetchedHelm(HELM_4) };
  } catch (error) {
    return { missing: `it cannot be fetched: ${String(error)}` };
  }
}

async function kubernetesPrograms(
  isWanted: boolean,
  say: (text: string) => void,
): Promise<Prepared["kubernetes"]> {
  if (!isWanted) return { missing: "it was not asked for" };
  if (!(await runs("go", ["version"])))
    return { missing: "it is built from source, and there is no Go" };
  return await findBinaries(say);
}

/** The packages of the programs that are missing. */
const PACKAGES: Readonly<Record<string, string>> = {
  dockerd: "docker.io",
  docker: "docker.io",
  iptables: "iptables",
  ip: "iproute2",
  mmdebstrap: "mmdebstrap",
  containerd: "containerd",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  conntrack: "conntrack",
  etcd: "etcd-server",
  openssl: "openssl",
  socat: "socat",
  unzip: "unzip",
};

/** Without it, the package docker.io starts its daemon on the machine's own socket. */
const POLICY = "/usr/sbin/policy-rc.d";

async function installPackages(): Promise<void> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(PACKAGES))
    if (!(await runs("sh", ["-c", `command -v ${program}`]))) missing.add(name);
  if (missing.size === 0) return;
  console.log(`        installing ${[...missing].join(", ")} (apt-get)`);
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy)
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const lock = "-oDPkg::Lock::Timeout=300";
    await run("apt-get", [lock, "-qq", "update"], { env });
    await run(
      "apt-get",
      [lock, "-qq", "install", "--no-install-recommends", "-y", ...missing],
      { env },
    );
  } finally {
    if (!hadPolicy) rmSync(POLICY);
  }
}

/** Builds a Go program by `go install`; null where there is no Go, or the build fails. */
async function goProgram(
  folder: string,
  module: string,
  say: (text: string) => void,
): Promise<string | null> {
  const [path = "", version = ""] = module.split("@");
  const name = path.split("/").find((part) => /compose|ryuk/.test(part)) ?? "";
  if (!(await runs("go", ["version"]))) return null;
  try {
    const built = await cached(
      join(folder, `${name}-${version}`),
      async (bin) => {
        say(`building ${module} (go install)`);
        mkdirSync(bin, { recursive: true });
        await run("go", ["install", module], {
          env: { ...process.env, GOBIN: bin, CGO_ENABLED: "0" },
        });
      },
    );
    return join(built, path.split("/").at(-1) ?? "");
  } catch (error) {
    say(`${module} could not be built: ${String(error)}`);
    return null;
  }
}
