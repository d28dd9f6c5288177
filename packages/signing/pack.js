/**
 * Run by `npm pack`, before and after. Postrider's own processes run the source; the Node of a receiver may be too old for
 * TypeScript. So while npm packs, `exports` points to what tsc has compiled. If npm was interrupted: npm run postpack.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const isAfter = process.argv[2] === "after";
const [from, to] = isAfter
  ? ["./dist/index.js", "./src/index.ts"]
  : ["./src/index.ts", "./dist/index.js"];
const manifest = new URL("package.json", import.meta.url);
writeFileSync(
  manifest,
  readFileSync(manifest, "utf8").replace(`".": "${from}"`, `".": "${to}"`),
);
if (isAfter)
  rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });
