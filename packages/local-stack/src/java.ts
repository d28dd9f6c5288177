import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { StackError } from "./stack-error.ts";

const run = promisify(execFile);

const NEEDED = 17;

export interface Java {
  readonly command: string;
  readonly major: number;
  /** Names this very build; an archive of classes fits no other. */
  readonly build: string;
}

/** The Java of JAVA_HOME, else of PATH, 17 or newer. Throws a sentence that says what to install or set. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const home = env["JAVA_HOME"];
  const command = home ? join(home, "bin", "java") : "java";
  let output: string;
  try {
    const { stdout, stderr } = await run(command, ["-version"], { env });
    output = `${stderr}\n${stdout}`;
  } catch (cause) {
    throw new StackError(
      "JAVA_MISSING",
      home
        ? `Kafka needs Java ${NEEDED} or newer, and JAVA_HOME=${home} holds no working bin/java: correct or unset JAVA_HOME.`
        : `Kafka needs Java ${NEEDED} or newer, and there is no java on the PATH: install one (Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17) or set JAVA_HOME.`,
      { cause },
    );
  }
  const major = majorOf(output);
  if (major < NEEDED) {
    throw new StackError(
      "JAVA_TOO_OLD",
      `Kafka needs Java ${NEEDED} or newer, and ${command} is version ${major}: install a newer one (Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17) or point JAVA_HOME to it.`,
    );
  }
  const build = /\(build ([^,)]+)/.exec(output)?.[1] ?? String(major);
  return { command, major, build: build.replace(/[^\w.+-]/g, "_") };
}

/** `version "17.0.15"` is 17, and the old `version "1.8.0_392"` is 8; 0 when there is none. */
export function majorOf(versionText: string): number {
  const [, first = "0", second = "0"] =
    /version "(\d+)(?:\.(\d+))?/.exec(versionText) ?? [];
  return first === "1" ? Number(second) : Number(first);
}
