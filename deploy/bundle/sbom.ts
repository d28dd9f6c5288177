/** Which packages of others are in the bundle: as CycloneDX (https://cyclonedx.org/docs/1.6/json/), and with their licenses' texts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** A package of which at least one byte is in the bundle. */
export interface BundledPackage {
  /** Its folder, relative to the repository: its key in package-lock.json. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** As its manifest says it: an SPDX expression. */
  readonly license: string;
  /** The SHA-512 of the package's archive, in hex. */
  readonly sha512: string;
}

/** Licenses of packages whose manifest has none, from their LICENSE file. */
const LICENSES: Readonly<Record<string, string>> = {
  "@kafkajs/confluent-schema-registry": "MIT",
};

interface Locked {
  readonly version: string;
  readonly integrity?: string;
}

/** The folders of the packages of which esbuild has taken code, each as often as it has files. */
export function foldersIn(metafile: Metafile): readonly string[] {
  return Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
    .filter((folder) => folder !== undefined);
}

/** Sorted by name and version. Throws when a package has no license or no checksum. */
export function packagesOf(
  foldersOf: readonly string[],
  root: string,
): BundledPackage[] {
  const folders = new Set(foldersOf);
  const lock = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  ) as { readonly packages: Readonly<Record<string, Locked>> };
  const all = [...folders].map((folder) =>
    packageAt(folder, lock.packages[folder], root),
  );
  // A version may be there twice, for two packages that need it.
  const byId = new Map(all.map((each) => [idOf(each), each]));
  return [...byId.values()].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

function packageAt(
  folder: string,
  locked: Locked | undefined,
  root: string,
): BundledPackage {
  const manifest = JSON.parse(
    readFileSync(join(root, folder, "package.json"), "utf8"),
  ) as { name: string; version: string; license?: string };
  const { name, version } = manifest;
  const license = manifest.license ?? LICENSES[name];
  const base64 = /^sha512-(\S+)$/.exec(locked?.integrity ?? "")?.[1];
  if (typeof license !== "string" || base64 === undefined)
    throw new Error(
      `${folder} is bundled, but has no license in its package.json or no sha512 in package-lock.json`,
    );
  if (version !== locked?.version)
    throw new Error(
      `${folder} is ${version}, and ${locked?.version} in package-lock.json: run npm ci`,
    );
  const sha512 = Buffer.from(base64, "base64").toString("hex");
  return { folder, name, version, license, sha512 };
}

function idOf({ name, version }: BundledPackage): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The same input gives the same document: no time, and no number of its own. */
export function sbomOf(
  { version, license }: { readonly version: string; readonly license: string },
  packages: readonly BundledPackage[],
): unknown {
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      lifecycles: [{ phase: "build" }],
      component: {
        type: "application",
        "bom-ref": "postrider",
        name: "postrider",
        version,
        licenses: [{ license: { id: license } }],
      },
    },
    components: packages.map((each) => ({
      type: "library",
      "bom-ref": idOf(each),
      name: each.name,
      version: each.version,
      purl: idOf(each),
      licenses: [{ expression: each.license }],
      hashes: [{ alg: "SHA-512", content: each.sha512 }],
    })),
    dependencies: [{ ref: "postrider", dependsOn: packages.map(idOf) }],
  };
}

/** The text of each package's license, which its license wants to go with the code. */
export function licensesOf(
  packages: readonly BundledPackage[],
  root: string,
): string {
  return packages
    .map(({ folder, name, version, license }) => {
      const texts = readdirSync(join(root, folder))
        .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
        .map((file) => readFileSync(join(root, folder, file), "utf8").trim());
      return [`${name} ${version} (${license})`, ...texts].join("\n\n");
    })
    .join(`\n\n${"=".repeat(80)}\n\n`);
}
