import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached, cacheRoot } from "./cache.ts";
import { REGISTRY_VERSION } from "./images.ts";
import type { Janitor } from "./janitor.ts";
import { findJava, JAVA_LEAVES_NOTHING } from "./java.ts";
import { fetchArtifacts, type Progress } from "./maven.ts";
import { startServer, type ServerHandle } from "./server-process.ts";

const run = promisify(execFile);

/** Apicurio's folder in the cache, with its runner jar; the first call downloads it (142 MB). */
export async function registryFiles(
  env: NodeJS.ProcessEnv,
  onProgress: Progress,
): Promise<string> {
  const path = join(cacheRoot(env), `apicurio-${REGISTRY_VERSION}`);
  return await cached(
    path,
    async (folder) => {
      const artifact = {
        groupId: "io.apicurio",
        artifactId: "apicurio-registry-app",
        version: REGISTRY_VERSION,
        type: "tar.gz",
        classifier: "all",
      };
      const what = `Apicurio Registry ${REGISTRY_VERSION}`;
      await fetchArtifacts(what, [artifact], folder, env, onProgress);
      for (const name of readdirSync(folder)) {
        if (!name.endsWith(".tar.gz")) continue;
        await run("tar", ["-xzf", join(folder, name), "-C", folder]);
        rmSync(join(folder, name));
      }
    },
    onProgress,
  );
}

export interface RegistryOptions {
  readonly files: string;
  readonly dir: string;
  readonly port: number;
  readonly janitor: Janitor;
  readonly env: NodeJS.ProcessEnv;
}

/** The path of the registry's Confluent-compatible API. */
export const REGISTRY_API = "/apis/ccompat/v7";

/** Starts an Apicurio registry that keeps its schemas in memory. Resolves when its Confluent-compatible API answers, and it is our process that answers. */
export async function startRegistry(
  options: RegistryOptions,
): Promise<ServerHandle> {
  const { files, dir, port, env, janitor } = options;
  const java = await findJava(env);
  const identity = randomBytes(8).toString("hex");
  mkdirSync(dir, { recursive: true });
  const jar = readdirSync(files, { recursive: true, encoding: "utf8" }).find(
    (name) => name.endsWith("-runner.jar"),
  );
  return await startServer({
    name: "the schema registry",
    command: java.command,
    args: [
      "-Xms128m",
      "-Xmx384m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      ...JAVA_LEAVES_NOTHING,
      `-Djava.io.tmpdir=${dir}`,
      `-Dquarkus.http.port=${port}`,
      "-Dquarkus.http.host=127.0.0.1",
      `-Dquarkus.http.header.${IDENTITY_HEADER}.value=${identity}`,
      "-jar",
      join(files, jar ?? "missing-runner.jar"),
    ],
    env,
    logFile: join(dir, "registry.log"),
    hasIpc: false,
    isReady: async () => {
      const response = await fetch(
        `http://127.0.0.1:${port}${REGISTRY_API}/subjects`,
        {
          headers: { connection: "close" },
          signal: AbortSignal.timeout(1000),
        },
      );
      await response.arrayBuffer();
      return response.ok && response.headers.get(IDENTITY_HEADER) === identity;
    },
    readyTimeoutMs: 120_000,
    graceMs: 5000,
    janitor,
  });
}

const IDENTITY_HEADER = "x-postrider-stack";
