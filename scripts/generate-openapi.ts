/**
 * Writes docs/openapi/control.json and docs/openapi/door.json, as `GET /openapi.json` answers them.
 * `node scripts/generate-openapi.ts --check` writes nothing and exits 1 when a file would change.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { describedApis } from "./openapi-of.ts";

const folder = new URL("../docs/openapi/", import.meta.url);
for (const [name, api] of Object.entries(describedApis())) {
  const target = new URL(`${name}.json`, folder);
  const text = await format(JSON.stringify(api.document()), { parser: "json" });
  const present = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (process.argv.includes("--check")) {
    if (present !== text) {
      console.error(
        `docs/openapi/${name}.json is out of date; run: node scripts/generate-openapi.ts`,
      );
      process.exitCode = 1;
    }
  } else if (present !== text) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(target, text);
  }
}
