/** A version of the services: the folder in which their programs are. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ServiceName } from "@postrider/cli";

/** A program and its arguments. */
export interface Program {
  readonly main: string;
  readonly args: readonly string[];
}

/** This checkout. */
export const THIS_VERSION = fileURLToPath(new URL("../", import.meta.url));

/** The program of a service in a bundle (`postrider.js`) or in a checkout of the sources, with its dependencies installed. Throws if the folder is neither. */
export function programIn(folder: string, name: ServiceName): Program {
  const bundle = resolve(folder, "postrider.js");
  if (existsSync(bundle)) return { main: bundle, args: ["start", name] };
  const main = join(resolve(folder), "services", name, "src", "main.ts");
  if (existsSync(main)) return { main, args: [] };
  throw new Error(
    `${folder} is neither a bundle nor a checkout: it has no postrider.js and no services/${name}/src/main.ts`,
  );
}

/** Builds the bundle of this checkout into the folder, in a process of its own: the builder changes the environment, which services inherit. */
export async function bundleInto(folder: string): Promise<void> {
  const builder = join(THIS_VERSION, "scripts/run.js");
  await promisify(execFile)(process.execPath, [builder, "bundle", folder]);
}
