import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { StackError } from "./stack-error.ts";

const run = promisify(execFile);

const NEEDED = 17;
const HOW =
  "Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17";

/** Without this option every Java process leaves a folder of counters in the temporary folder. */
export const JAVA_LEAVES_NOTHING = ["-XX:-UsePerfData"];

export interface Java {
  /** The path of the launcher itself, not of a wrapper script, so that the pid of the child is the server's. */
  readonly command: string;
  readonly major: number;
  /** Identifies this exact build of Java; an archive of loaded classes fits no other. */
  readonly build: string;
}

/** Finds Java 17 or newer, by JAVA_HOME or else by PATH. Throws a sentence that tells what to install or set. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const home = env["JAVA_HOME"];
  const command = home ? join(home, "bin", "java") : "java";
  let settings: string;
  try {
    const output = await run(
      command,
      [...JAVA_LEAVES_NOTHING, "-XshowSettings:properties", "-version"],
      {
        env,
      },
    );
    settings = `${output.stderr}\n${output.stdout}`;
  } catch (cause) {
    throw new StackError(
      "JAVA_MISSING",
      home
        ? `Kafka needs Java ${NEEDED} or newer, and JAVA_HOME=${home} holds no bin/java that runs: correct it, or unset it to use the java of the PATH.`
        : `Kafka needs Java ${NEEDED} or newer, and there is no java on the PATH: install one (${HOW}) or set JAVA_HOME.`,
      { cause },
    );
  }
  const major = javaMajor(propertyOf(settings, "java.specification.version"));
  if (major < NEEDED) {
    throw new StackError(
      "JAVA_TOO_OLD",
      `Kafka needs Java ${NEEDED} or newer, and ${command} is version ${major}: install a newer one (${HOW}) or point JAVA_HOME to it.`,
    );
  }
  const launcher = join(propertyOf(settings, "java.home"), "bin", "java");
  return {
    command: existsSync(launcher) ? launcher : command,
    major,
    build: propertyOf(settings, "java.vm.version").replace(/[^\w.+-]/g, "_"),
  };
}

function propertyOf(settings: string, name: string): string {
  const line = settings
    .split("\n")
    .find((candidate) => candidate.trim().startsWith(`${name} = `));
  return line?.split(" = ")[1]?.trim() ?? "";
}

/** The major version: 17 for `17`, 8 for the old form `1.8`; 0 when there is none. */
export function javaMajor(version: string): number {
  const [first = "0", second = "0"] = version.split(".");
  return Number(first === "1" ? second : first) || 0;
}
