/**
 * Builds the console's pages (services/console) into a folder, once for each state of their sources: whoever needs them asks for
 * them here, and mostly gets those of the last time.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = join(ROOT, "services/console");

/** Where control looks for the files in a checkout (packages/runtime/src/installation.ts). */
export const CONSOLE_FOLDER = join(ROOT, ".cache/console");

/** The folder of the packages, by which a license is found: `node_modules/react`. */
const PACKAGES = "packages.json";
const STATE = "state";

export interface ConsoleBuild {
  readonly folder: string;
  /** Whether it had to be built. */
  readonly isNew: boolean;
  /** The folders of the packages of which code is in it, relative to the repository. */
  readonly packages: readonly string[];
}

/** Builds it where its sources have changed since. Throws what Vite throws. */
export async function buildConsole(
  folder = CONSOLE_FOLDER,
): Promise<ConsoleBuild> {
  const state = stateOfSources();
  const isNew = !isBuiltFrom(state, folder);
  if (isNew) await build(folder, state);
  const packages = JSON.parse(
    readFileSync(join(folder, PACKAGES), "utf8"),
  ) as string[]; // `build` wrote it
  return { folder, isNew, packages };
}

/** A hash of all that the pages are made of. */
function stateOfSources(): string {
  const hash = createHash("sha256");
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const files = [
    ...names
      .filter((name) => /\.(tsx?|css|svg|html)$/.test(name))
      .filter((name) => !name.includes("node_modules"))
      .toSorted()
      .map((name) => join(SOURCES, name)),
    fileURLToPath(import.meta.url),
    join(ROOT, "package-lock.json"),
  ];
  for (const file of files)
    hash.update(`${file.slice(ROOT.length)}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

function isBuiltFrom(state: string, folder: string): boolean {
  const file = join(folder, STATE);
  return existsSync(file) && readFileSync(file, "utf8") === state;
}

/** Into a folder of its own first, so that nobody sees half of it, also where two build at once. */
async function build(folder: string, state: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  const before = `${made}-before`;
  try {
    const packages = await bundle(made);
    writeFileSync(join(made, PACKAGES), JSON.stringify(packages));
    writeFileSync(join(made, STATE), state);
    // Whoever asked meanwhile may be reading those of another one that was quicker: they stay.
    if (isBuiltFrom(state, folder)) return;
    // Moved away before it is deleted, file by file: another one may put its own there meanwhile, which must not lose files to that.
    moveAway(folder, before);
    renameSync(made, folder);
  } catch (error) {
    if (!isBuiltFrom(state, folder)) throw error; // another one was quicker after all
  } finally {
    for (const left of [made, before])
      rmSync(left, { recursive: true, force: true });
  }
}

/** Does nothing where there is none, or another one was quicker. */
function moveAway(folder: string, to: string): void {
  try {
    renameSync(folder, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
      throw error;
  }
}

async function bundle(folder: string): Promise<string[]> {
  // Loaded here alone: where nothing has to be built, they would cost more than the question whether.
  const vite = await import("vite");
  const packages = new Set<string>();
  // Vite takes the mode of a process that has one, so under jest it would keep React's development build, and a bundle would take that from here.
  process.env["NODE_ENV"] = "production";
  await vite.build({
    root: SOURCES,
    configFile: false,
    // Its warnings are about directives in each file of our dependencies, some hundreds.
    logLevel: "error",
    // Relative addresses: control may be below any path.
    base: "./",
    plugins: [
      {
        name: "packages-of-the-bundle",
        generateBundle(_, output) {
          for (const chunk of Object.values(output))
            if (chunk.type === "chunk")
              for (const id of chunk.moduleIds) addPackage(packages, id);
        },
      },
    ],
    build: {
      outDir: folder,
      // What is written into a page as a `data:` URL, or as a script of its own, the Content-Security-Policy refuses.
      assetsInlineLimit: 0,
      // Browsers that lack it need a script in the page, which the policy refuses, too.
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1_200,
    },
  });
  const assets = join(folder, "assets");
  for (const name of readdirSync(assets)) {
    const content = readFileSync(join(assets, name));
    writeFileSync(join(assets, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
  // Its style sheet is an asset, in which no module is named.
  packages.add("node_modules/@mantine/core");
  return [...packages].toSorted();
}

function addPackage(packages: Set<string>, moduleId: string): void {
  const path = moduleId.replace(/^\0/, "").split("?")[0] ?? "";
  const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
  if (found?.startsWith(ROOT)) packages.add(found.slice(ROOT.length));
}
