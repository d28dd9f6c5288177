/**
 * Writes docs/sql/cookbook.md from the saved queries of services/control/src/cookbook. Its examples are kept as they are. Of a query that
 * is new or changed they are run and written by `COOKBOOK_EXAMPLES=write npm test -- tests/cookbook`.
 * `node scripts/generate-cookbook.ts --check` writes nothing and exits 1 when the file would change, or has an example that was not run.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { examplesOf, NOT_RUN, renderPage } from "./cookbook-page.ts";

const target = new URL("../docs/sql/cookbook.md", import.meta.url);
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
const text = await format(renderPage(examplesOf(present)), {
  parser: "markdown",
});
if (process.argv.includes("--check")) {
  if (present !== text || text.includes(NOT_RUN)) {
    console.error(
      "docs/sql/cookbook.md is out of date; run: node scripts/generate-cookbook.ts, then COOKBOOK_EXAMPLES=write npm test -- tests/cookbook",
    );
    process.exitCode = 1;
  }
} else if (present !== text) {
  mkdirSync(new URL(".", target), { recursive: true });
  writeFileSync(target, text);
}
