/** How a program of each language is run here. What the programs need beyond their language is fetched once, as their own lists have it, and kept beside the other downloads. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "@jest/globals";
import { cached, cacheRoot } from "../../packages/local-stack/src/cache.ts";
import { onlyWith } from "../only-with.ts";
import type { LanguageName } from "./programs.ts";

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLES = join(ROOT, "examples");
const FETCHING_MS = 300_000;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Language {
  /** `test`; where the language is missing, one that skips. */
  readonly testHere: typeof test.skip;
  /** Goes to the end of a test's name: why it is skipped. */
  readonly note: string;
  readonly run: (file: string) => Command;
}

/** The folder that the command fills with what a list of examples/ names; another list, or another version of the language, has another folder. */
async function fetched({
  list,
  version,
  by: [command, argsFor],
}: {
  readonly list: string;
  /** Of the language, where what is fetched depends on it. */
  readonly version: string;
  readonly by: readonly [string, (folder: string) => readonly string[]];
}): Promise<string> {
  const hash = createHash("sha256")
    .update(version)
    .update(readFileSync(join(EXAMPLES, list)))
    .digest("hex")
    .slice(0, 12);
  const path = join(cacheRoot(process.env), `examples-${list}-${hash}`);
  return await cached(path, async (folder) => {
    await run(command, argsFor(folder), { timeout: FETCHING_MS });
  });
}

/** A language that is here if `probe` succeeds, with what `prepare` fetches. */
async function language(
  probe: readonly [string, string],
  prepare: (version: string) => Promise<Language["run"]>,
): Promise<Language> {
  const { isHere, testHere, note } = onlyWith(...probe);
  try {
    const [command, ...args] = probe;
    if (!isHere) return { testHere, note, run: notHere };
    const { stdout: version } = await run(command, args);
    return { testHere, note, run: await prepare(version) };
  } catch (error) {
    return {
      testHere: test.skip,
      note: ` (skipped: what the examples need cannot be fetched: ${whyOf(error)})`,
      run: notHere,
    };
  }
}

/** The first line that a failed command printed; the error's own if it printed none. */
function whyOf(error: unknown): string {
  const { message, stderr, stdout } = error as Error & {
    readonly stderr?: string;
    readonly stdout?: string;
  }; // as `execFile` rejects
  const printed = `${stderr ?? ""}\n${stdout ?? ""}`.trim();
  return (printed || message).split("\n", 1).join();
}

const notHere = (): never => {
  throw new Error("the language is not on this machine");
};

const plain =
  (command: string, ...args: string[]): Language["run"] =>
  (file) => ({ command, args: [...args, file] });

const TYPESCRIPT: Language = {
  testHere: test,
  note: "",
  run: plain(process.execPath, "--disable-warning=TimeoutNegativeWarning"),
};
const PROBES = {
  Python: ["python3", "--version"],
  Java: ["javac", "--version"],
  Go: ["go", "version"],
} as const;

/** For programs that need nothing but their language: they run also where nothing can be fetched. */
export const BARE: Readonly<Record<LanguageName, Language>> = {
  TypeScript: TYPESCRIPT,
  Python: { ...onlyWith(...PROBES.Python), run: plain("python3") },
  Java: { ...onlyWith(...PROBES.Java), run: plain("java") },
  Go: { ...onlyWith(...PROBES.Go), run: plain("go", "run") },
};

export const LANGUAGES: Readonly<Record<LanguageName, Language>> = {
  TypeScript: TYPESCRIPT,
  Python: await language(PROBES.Python, async (version) => {
    const list = "requirements.txt";
    const argsFor = (folder: string): string[] => [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--retries=1",
      "--disable-pip-version-check",
      `--target=${folder}`,
      `--requirement=${join(EXAMPLES, list)}`,
    ];
    const packages = await fetched({ list, version, by: ["python3", argsFor] });
    return (file) => ({
      command: "python3",
      args: [file],
      env: { PYTHONPATH: packages },
    });
  }),
  Java: await language(PROBES.Java, async () => {
    const list = "pom.xml";
    const argsFor = (folder: string): string[] => [
      "-B",
      "-q",
      `--file=${join(EXAMPLES, list)}`,
      "dependency:copy-dependencies",
      `-DoutputDirectory=${folder}`,
    ];
    const jars = await fetched({ list, version: "", by: ["mvn", argsFor] });
    return plain("java", "-cp", join(jars, "*"));
  }),
  Go: await language(PROBES.Go, async () => {
    const module = join(EXAMPLES, "go");
    await run("go", ["-C", module, "mod", "download"], {
      timeout: FETCHING_MS,
    });
    // A file of the module is run in its folder, where `go` finds the module.
    return (file) => ({
      command: "go",
      args:
        dirname(file) === module
          ? ["-C", module, "run", basename(file)]
          : ["run", file],
    });
  }),
};
