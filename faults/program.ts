/** A version of the services: the folder in which their programs are. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
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
