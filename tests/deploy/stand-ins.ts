/**
 * Images under the names that docker-compose.yml, local-stack and the Dockerfile ask for, made on this machine: there may be
 * no registry to pull them from. Kafka, ClickHouse and the registry in them are the real programs, in versions that
 * local-stack runs, but the images around them are not those of their makers.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { IMAGES } from "@postrider/local-stack";
import { engineLibrary } from "../../packages/local-stack/src/clickhouse-server.ts";
import type { Engine } from "./engine.ts";
import type { Prepared } from "./prepare.ts";
import { run } from "./shell.ts";

export const DEBIAN = "debian:bookworm-slim";
/** The images that deploy/docker/Dockerfile is built from. */
export const BUILD_IMAGE = `node:${process.versions.node}-bookworm-slim`;
export const BASE_IMAGE = "gcr.io/distroless/cc-debian12:nonroot";

const SOURCES = fileURLToPath(new URL("stand-ins", import.meta.url));
const STACK = fileURLToPath(
  new URL("../../packages/local-stack/src", import.meta.url),
);

/** Makes the images that all others are built from. Resolves to their names. */
export async function buildBases(
  engine: Engine,
  prepared: Prepared,
  folder: string,
): Promise<string[]> {
  await engine.docker(["import", prepared.debian, DEBIAN]);
  await build(engine, BUILD_IMAGE, join(folder, "node"), (context) =>
    cpSync(process.execPath, join(context, "node")),
  );
  await build(engine, BASE_IMAGE, join(folder, "distroless"), () => undefined);
  return [DEBIAN, BUILD_IMAGE, BASE_IMAGE];
}

/** Makes the images of Kafka and ClickHouse; the bases must be there. Resolves to their names. */
export async function buildStandIns(
  engine: Engine,
  prepared: Prepared,
  folder: string,
): Promise<string[]> {
  await build(engine, IMAGES.kafka, join(folder, "kafka"), async (context) => {
    await copyJava(prepared, context);
    cpSync(prepared.kafkaLibs, join(context, "libs"), { recursive: true });
  });
  await build(engine, IMAGES.clickhouse, join(folder, "clickhouse"), (at) =>
    copyEngine(at),
  );
  return [IMAGES.kafka, IMAGES.clickhouse];
}

/** Makes the image of the schema registry; the bases must be there. Resolves to its name. */
export async function buildRegistry(
  engine: Engine,
  prepared: Prepared,
  folder: string,
): Promise<string> {
  const context = join(folder, "registry");
  await build(engine, IMAGES.registry, context, async (at) => {
    await copyJava(prepared, at);
    cpSync(prepared.registry, join(at, "registry"), { recursive: true });
  });
  return IMAGES.registry;
}

/** Builds stand-ins/NAME with what `fill` adds to its context, the folder `…/NAME`, which is removed again. */
async function build(
  engine: Engine,
  image: string,
  context: string,
  fill: (context: string) => void | Promise<void>,
): Promise<void> {
  const name = context.slice(dirname(context).length + 1);
  mkdirSync(context, { recursive: true });
  cpSync(join(SOURCES, name), context, { recursive: true });
  await fill(context);
  await engine.docker(["build", "--quiet", "--tag", image, context]);
  rmSync(context, { recursive: true });
}

/** Debian's Java consists of links into /etc; in the image it is one folder. */
async function copyJava(prepared: Prepared, context: string): Promise<void> {
  // A link to certificates may lead nowhere, which is no matter here.
  await run("sh", [
    "-c",
    'cp -rL "$0" "$1" 2>/dev/null; test -x "$1/bin/java"',
    prepared.javaHome,
    join(context, "java"),
  ]);
}

function copyEngine(context: string): void {
  const require = createRequire(join(STACK, "clickhouse-child.ts"));
  const ffi = dirname(require.resolve("ffi-rs/package.json"));
  const modules = dirname(ffi);
  cpSync(process.execPath, join(context, "node"));
  cpSync(engineLibrary(), join(context, "libchdb.so"));
  for (const name of ["ffi-rs", "@yuuang"])
    cpSync(join(modules, name), join(context, "node_modules", name), {
      recursive: true,
    });
  for (const name of ["clickhouse-child.ts", "../package.json"])
    cpSync(join(STACK, name), join(context, name.replace("../", "")));
}
