/** The messages that people see when their machine lacks a tool. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "./index.ts";
import { findJava } from "./java.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postrider-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** An environment with an empty cache and an empty PATH. */
const bare = (): NodeJS.ProcessEnv => ({
  PATH: folder,
  XDG_CACHE_HOME: folder,
});

/** An executable `java` that is not Java, but reports this version. */
function fakeJava(specificationVersion: string): string {
  mkdirSync(join(folder, "bin"));
  const java = join(folder, "bin", "java");
  writeFileSync(
    java,
    `#!/bin/sh\necho "    java.specification.version = ${specificationVersion}" >&2\n`,
  );
  chmodSync(java, 0o755);
  return folder;
}

async function messageOf(env: NodeJS.ProcessEnv): Promise<string> {
  const outcome = await startStack({ provider: "local", env }).catch(
    (error: unknown) => error,
  );
  return outcome instanceof Error ? outcome.message : "it started";
}

test("without Java the sentence says how to install it", async () => {
  expect(await messageOf(bare())).toMatch(
    /needs Java 17 or newer, and there is no java on the PATH: install one .* or set JAVA_HOME/,
  );
});

test("a JAVA_HOME without Java is named", async () => {
  expect(await messageOf({ ...bare(), JAVA_HOME: "/nowhere" })).toMatch(
    /JAVA_HOME=\/nowhere holds no bin\/java/,
  );
});

test.each([
  ["1.8", 8],
  ["11", 11],
])("Java %s is too old, and the sentence says so", async (version, major) => {
  const JAVA_HOME = fakeJava(version);

  expect(await messageOf({ ...bare(), JAVA_HOME })).toContain(
    `is version ${major}: install a newer one`,
  );
});

test("without Maven the sentence says what it is for and how to install it", async () => {
  const java = await findJava(process.env);
  const JAVA_HOME = join(java.command, "..", "..");

  expect(await messageOf({ ...bare(), JAVA_HOME })).toMatch(
    /Kafka 4\.4\.0 is downloaded by Maven, and there is no mvn on the PATH: install it/,
  );
});

test.each([
  [{ POSTRIDER_STACK: "podman" }, /it can be external, docker, local/],
  [{ POSTRIDER_STACK: "external" }, /set KAFKA_BROKERS and CLICKHOUSE_URL/],
  [
    {
      POSTRIDER_STACK: "external",
      KAFKA_BROKERS: "127.0.0.1:1",
      CLICKHOUSE_URL: "http://127.0.0.1:1",
    },
    /Nobody answers at 127\.0\.0\.1:1 \(KAFKA_BROKERS\)/,
  ],
  [
    { POSTRIDER_STACK: "docker", DOCKER_HOST: "unix:///nowhere" },
    /needs a Docker daemon, and none answers/,
  ],
])("%j is answered by a sentence", async (env, sentence) => {
  await expect(startStack({ env })).rejects.toThrow(sentence);
});
