/** `npm run bundle [-- FOLDER]` writes the bundle into the folder, by default `dist`; what is in it: docs/image.md. */
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundle } from "../deploy/bundle/build.ts";

const [folder = fileURLToPath(new URL("../dist", import.meta.url))] =
  process.argv.slice(2);
await buildBundle(resolve(folder));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((name) => statSync(join(folder, name)))
  .filter((stat) => stat.isFile());
const bytes = files.reduce((sum, { size }) => sum + size, 0);
console.log(
  `${resolve(folder)}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`,
);
