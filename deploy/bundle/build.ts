/** Builds the bundle: everything that a service or the command needs at run time besides Node, in one folder. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildConsole } from "../../scripts/console-build.ts";
import { asBundle } from "./as-bundle.ts";
import {
  foldersIn,
  licensesOf,
  packagesOf,
  sbomOf,
  type BundledPackage,
} from "./sbom.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const SERVICES = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "recorder",
  "control",
] as const;

const SBOM = "sbom.cdx.json";

/** CommonJS inside of the bundle calls `require` for what is not bundled: Node's own modules, and native addons beside the file. */
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** Writes the bundle into the folder, in place of an older one. Throws on a folder with anything else in it, and esbuild's `BuildFailure`. */
export async function buildBundle(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const before = readdirSync(folder);
  if (before.length > 0 && !before.includes("postrider.js"))
    throw new Error(`${folder} has something in it that is no bundle`);
  for (const name of before) rmSync(join(folder, name), { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    outdir: folder,
    entryPoints: {
      postrider: "deploy/bundle/postrider.ts",
      ...Object.fromEntries(
        SERVICES.map((name) => [name, `services/${name}/src/main.ts`]),
      ),
    },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // All files are in one folder: installation.ts looks for the others beside its own.
    chunkNames: "chunk-[hash]",
    assetNames: "[name]",
    loader: { ".node": "copy" },
    banner: { js: REQUIRE },
    // Not minified: a stack in the log names our functions, and a name on the wire or in an error stays as it is.
    legalComments: "none",
    plugins: [asBundle(ROOT)],
    metafile: true,
    logLevel: "warning",
  });
  // Without it Node would read each file twice to learn that it is an ES module.
  write(folder, "package.json", { type: "module" });
  cpSync(join(ROOT, "schemas"), join(folder, "schemas"), {
    recursive: true,
    filter: (path) => !path.endsWith("history"),
  });
  cpSync(
    join(ROOT, "services/recorder/migrations"),
    join(folder, "migrations"),
    { recursive: true },
  );
  const console = await buildConsole();
  for (const name of ["index.html", "assets"])
    cpSync(join(console.folder, name), join(folder, "console", name), {
      recursive: true,
    });
  writeLicences(
    folder,
    packagesOf([...foldersIn(metafile), ...console.packages], ROOT),
  );
}

function writeLicences(
  folder: string,
  packages: readonly BundledPackage[],
): void {
  const manifest = read("package.json") as { version: string; license: string };
  write(folder, SBOM, sbomOf(manifest, packages));
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  writeFileSync(join(folder, "licenses.txt"), licensesOf(packages, ROOT));
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8"));
}

function write(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
