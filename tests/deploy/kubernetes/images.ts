/** The images of the node, of the checks, and of the chart: made by the engine of the deployment tests, then copied to the node. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IMAGES } from "@postrider/local-stack";
import type { Engine } from "../engine.ts";
import { BUILD_IMAGE, DEBIAN } from "../stand-ins.ts";

/** Holds the network of a pod and does nothing. */
export const PAUSE_IMAGE = "postrider.test/pause:1";
/** Debian and Node. */
export const NODE_IMAGE = BUILD_IMAGE;

export const REPOSITORY = "postrider";
/** Two tags, so that an upgrade has something to change. Both hold the bundle of this checkout. */
export const TAGS = { installed: "installed", upgraded: "upgraded" } as const;

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Makes the images that every node needs. Resolves to their names. */
export async function nodeImages({ docker }: Engine): Promise<string[]> {
  const input = `FROM ${DEBIAN}\nENTRYPOINT ["sleep", "infinity"]\n`;
  await docker(["build", "--quiet", "--tag", PAUSE_IMAGE, "-"], { input });
  return [PAUSE_IMAGE, NODE_IMAGE];
}

/** Builds Postrider's image under each tag. Resolves to the names of all images that the chart and its stand-ins use. */
export async function chartImages({ docker }: Engine): Promise<string[]> {
  const names = Object.values(TAGS).map((tag) => `${REPOSITORY}:${tag}`);
  for (const name of names) {
    // The version is a label, by which the two images differ. The bundle was made outside: no package registry can be reached from here.
    const args = ["BUNDLE=outside", `VERSION=${name}`].flatMap((arg) => [
      "--build-arg",
      arg,
    ]);
    await docker([
      "build",
      "--quiet",
      ...args,
      "--tag",
      name,
      "--file",
      join(ROOT, "deploy/docker/Dockerfile"),
      ROOT,
    ]);
  }
  return [...names, IMAGES.kafka, IMAGES.clickhouse];
}

/** Writes images into one archive, which the caller removes. Resolves to its path. */
export async function saveImages(
  { docker }: Engine,
  folder: string,
  names: readonly string[],
): Promise<string> {
  const archive = join(folder, "images.tar");
  rmSync(archive, { force: true });
  await docker(["save", "--output", archive, ...names]);
  return archive;
}
