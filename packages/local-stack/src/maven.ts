import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { JAVA_LEAVES_NOTHING } from "./java.ts";
import { startJanitor, tied } from "./janitor.ts";
import { StackError } from "./stack-error.ts";

export type Progress = (text: string) => void;

export interface Artifact {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
  /** The type of the archive. With one it is fetched alone, without its dependencies. */
  readonly type?: string;
  readonly classifier?: string;
}

/** Downloads the artifacts and their run-time dependencies into `folder`. Throws a sentence for people when Maven or the network is missing. */
export async function fetchArtifacts(
  what: string,
  artifacts: readonly Artifact[],
  folder: string,
  env: NodeJS.ProcessEnv,
  onProgress: Progress,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const pom = join(folder, "pom.xml");
  writeFileSync(pom, pomOf(artifacts));
  await runMaven(
    [
      "-B",
      "-f",
      pom,
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DoutputDirectory=${folder}`,
    ],
    what,
    env,
    onProgress,
  );
  rmSync(pom);
}

function pomOf(artifacts: readonly Artifact[]): string {
  const tag = (name: string, value: string | undefined): string =>
    value === undefined ? "" : `<${name}>${value}</${name}>`;
  const alone =
    "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";
  const dependencies = artifacts.map((artifact) => {
    const { groupId, artifactId, version, type, classifier } = artifact;
    const tags = [
      tag("groupId", groupId),
      tag("artifactId", artifactId),
      tag("version", version),
      tag("type", type),
      tag("classifier", classifier),
      type === undefined ? "" : alone,
    ];
    return `<dependency>${tags.join("")}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>postrider-download</artifactId><version>1</version>
<dependencies>${dependencies.join("\n")}</dependencies></project>
`;
}

async function runMaven(
  args: readonly string[],
  what: string,
  env: NodeJS.ProcessEnv,
  onProgress: Progress,
): Promise<void> {
  const home = env["MAVEN_HOME"];
  const mvn = home ? join(home, "bin", "mvn") : "mvn";
  const { command, args: allArgs } = tied(mvn, args);
  onProgress(`${what}: asking Maven (the first time only)`);
  const janitor = startJanitor(null);
  const child = spawn(command, allArgs, {
    env: {
      ...env,
      MAVEN_OPTS: [env["MAVEN_OPTS"], ...JAVA_LEAVES_NOTHING].join(" ").trim(),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) janitor.add(child.pid);
  const transfers = new Transfers();
  const startedAt = performance.now();
  // A line now and then, and not one for each of a hundred small files. Maven says nothing about a large one until it is complete.
  const patience = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    onProgress(`${what}: ${transfers.summary()} after ${seconds} s`);
  }, 5000);
  const lastLines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lastLines.push(line);
      if (lastLines.length > 12) lastLines.shift();
      transfers.read(line);
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once("close", resolve);
    child.once("error", () => resolve(NOT_FOUND));
  });
  clearInterval(patience);
  if (child.pid !== undefined) janitor.remove(child.pid);
  await janitor.finish();
  if (code === NOT_FOUND) {
    throw new StackError(
      "MAVEN_MISSING",
      `${what} is downloaded by Maven, and ${home ? `MAVEN_HOME=${home} holds no bin/mvn` : "there is no mvn on the PATH"}: install it (Debian and Ubuntu: apt install maven; macOS: brew install maven), or use your own servers with POSTRIDER_STACK=external, KAFKA_BROKERS and CLICKHOUSE_URL.`,
    );
  }
  if (code !== 0) {
    throw new StackError(
      "DOWNLOAD_FAILED",
      `Maven could not download ${what} (exit code ${code}). Its last lines:\n${lastLines.join("\n")}`,
    );
  }
}

/** The exit code of a shell, and of setpriv, for a command that does not exist. */
const NOT_FOUND = 127;

/** Counts finished downloads. Maven prints the size of each file when it is complete: `Downloaded from central: https://…/x.jar (1.2 MB at 3 MB/s)`. */
class Transfers {
  #files = 0;
  #kilobytes = 0;

  read(line: string): void {
    const size =
      /Downloaded from \S+: \S+\.(?:jar|gz) \(([\d.]+) (B|kB|MB)\b/.exec(line);
    if (size === null) return;
    this.#files += 1;
    this.#kilobytes +=
      Number(size[1]) * KILOBYTES_OF[size[2] as keyof typeof KILOBYTES_OF];
  }

  summary(): string {
    const megabytes = (this.#kilobytes / 1000).toFixed(1);
    return `${this.#files} files, ${megabytes} MB downloaded`;
  }
}

const KILOBYTES_OF = { B: 0.001, kB: 1, MB: 1000 };
