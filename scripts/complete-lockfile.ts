/**
 * Adds to package-lock.json the platform packages that npm left out. When a registry mirror does not serve the binary packages
 * of some platforms, `npm install` writes a lockfile without them, and `npm ci` then refuses that lockfile.
 * `node scripts/complete-lockfile.ts --check` writes nothing and exits 1 when something is missing. Run the script without
 * `--check` after each change of dependencies.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const OPERATING_SYSTEMS = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = [
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "ppc64",
  "riscv64",
  "s390x",
  "x64",
];

/** The missing entries, by their path in the lockfile. */
export function missingEntries(
  lockfile: Lockfile,
): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [path, parent] of Object.entries(lockfile.packages)) {
    for (const [name, range] of Object.entries(
      parent.optionalDependencies ?? {},
    )) {
      if (isLocked(lockfile, path, name)) continue;
      missing[`node_modules/${name}`] = {
        version: range.replace(/^[~^]/, ""),
        ...platformOf(name),
        // Optional packages of the root itself are wanted in production, too.
        ...(parent.dev === true ? { dev: true } : {}),
        optional: true,
      };
    }
  }
  return missing;
}

/** Whether Node, resolving from `path` upwards, finds the package in the lockfile. */
function isLocked({ packages }: Lockfile, path: string, name: string): boolean {
  for (let folder = path; ; folder = parentOf(folder)) {
    if (
      packages[
        folder === ""
          ? `node_modules/${name}`
          : `${folder}/node_modules/${name}`
      ] !== undefined
    )
      return true;
    if (folder === "") return false;
  }
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/node_modules/");
  return at === -1 ? "" : path.slice(0, at);
}

/** The platform in a package's name, e.g. `@swc/core-linux-arm64-musl`; npm must not install the package on other platforms. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const words = name
    .split(/[-/]/)
    .map((word) => (word === "windows" ? "win32" : word));
  const os = OPERATING_SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  const last = words.at(-1) ?? "";
  const libc = !os.includes("linux")
    ? []
    : last.startsWith("musl")
      ? ["musl"]
      : last.startsWith("gnu")
        ? ["glibc"]
        : [];
  return {
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    ...(os.length > 0 ? { os } : {}),
  };
}

/** The lockfile with the dependencies that the manifests of the root and the workspaces list; npm removes those that it could not get. */
function withManifests(lockfile: Lockfile, root: URL): Lockfile {
  const packages = { ...lockfile.packages };
  for (const [path, locked] of Object.entries(packages)) {
    if (path.includes("node_modules/")) continue;
    const file = new URL(`${path === "" ? "" : `${path}/`}package.json`, root);
    const { optionalDependencies } = JSON.parse(
      readFileSync(file, "utf8"),
    ) as LockedPackage;
    if (optionalDependencies !== undefined)
      packages[path] = { ...locked, optionalDependencies };
  }
  return { ...lockfile, packages };
}

function main(): void {
  const root = new URL("../", import.meta.url);
  const file = new URL("package-lock.json", root);
  const lockfile = withManifests(
    JSON.parse(readFileSync(file, "utf8")) as Lockfile,
    root,
  );
  const missing = missingEntries(lockfile);
  const names = Object.keys(missing).map((path) =>
    path.replace("node_modules/", ""),
  );
  if (names.length === 0) return;
  if (process.argv.includes("--check")) {
    console.error(
      `package-lock.json lacks ${names.length} platform packages (${names.slice(0, 3).join(", ")} …). Run: npm run lockfile`,
    );
    process.exitCode = 1;
    return;
  }
  // Sorted in npm's own order, so that its next run moves no entry.
  const packages = Object.fromEntries(
    Object.entries({ ...lockfile.packages, ...missing }).toSorted(([a], [b]) =>
      a.localeCompare(b, "en"),
    ),
  );
  writeFileSync(
    file,
    `${JSON.stringify({ ...lockfile, packages }, null, 2)}\n`,
  );
  console.log(`added ${names.length} platform packages to package-lock.json`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
