import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { StackError } from "./stack-error.ts";

export type Progress = (text: string) => void;

export interface Artifact {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
  /** For an archive that is no jar. */
  readonly type?: string;
  readonly classifier?: string;
}

/** Puts the artifacts and all they need at run time into `folder`. Throws a sentence when Maven or the network is missing. */
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
  const isArchive = artifacts.some((artifact) => artifact.type !== undefined);
  await runMaven(
    [
      "-B",
      "-f",
      pom,
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DexcludeTransitive=${isArchive}`,
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
  const dependencies = artifacts.map(
    (a) =>
      `<dependency>${tag("groupId", a.groupId)}${tag("artifactId", a.artifactId)}${tag("version", a.version)}${tag("type", a.type)}${tag("classifier", a.classifier)}</dependency>`,
  );
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
  const command = home ? join(home, "bin", "mvn") : "mvn";
  const child = spawn(command, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lastLines: string[] = [];
  let jars = 0;
  let kilobytes = 0;
  onProgress(`${what}: asking Maven (the first time only)`);
  const read = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > 12) lastLines.shift();
    // Maven tells the size of each file once it is there: "Downloaded from central: https://…/x.jar (1.2 MB at 3 MB/s)".
    const size =
      /Downloaded from \S+: \S+\.(?:jar|gz) \(([\d.]+) (kB|MB|B)/.exec(line);
    if (size === null) return;
    jars += 1;
    kilobytes +=
      Number(size[1]) *
      (size[2] === "MB" ? 1000 : size[2] === "kB" ? 1 : 0.001);
    onProgress(
      `${what}: ${jars} files, ${(kilobytes / 1000).toFixed(1)} MB downloaded`,
    );
  };
  createInterface({ input: child.stdout }).on("line", read);
  createInterface({ input: child.stderr }).on("line", read);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", (cause) =>
      reject(
        new StackError(
          "MAVEN_MISSING",
          `${what} is downloaded by Maven, and ${home ? `MAVEN_HOME=${home} holds no bin/mvn` : "there is no mvn on the PATH"}: install it (Debian and Ubuntu: apt install maven; macOS: brew install maven), or use your own servers with POSTRIDER_STACK=external, KAFKA_BROKERS and CLICKHOUSE_URL.`,
          { cause },
        ),
      ),
    );
  });
  if (code !== 0) {
    throw new StackError(
      "DOWNLOAD_FAILED",
      `Maven could not download ${what} (exit code ${code}). Its last lines:\n${lastLines.join("\n")}`,
    );
  }
}
