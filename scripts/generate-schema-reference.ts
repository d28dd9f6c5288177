/**
 * Writes docs/sql/schema.md from the tables that the migrations make in a real ClickHouse: the one at CLICKHOUSE_URL, else one of its own.
 * `node scripts/generate-schema-reference.ts --check` writes nothing and exits 1 when the file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { startStack } from "../packages/local-stack/src/index.ts";
import { renderSchema } from "./schema-page.ts";
import { schemaOf, type FoundTable } from "./schema-of.ts";

const target = new URL("../docs/sql/schema.md", import.meta.url);
const text = await format(renderSchema(await found()), { parser: "markdown" });
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
if (process.argv.includes("--check")) {
  if (present !== text) {
    console.error(
      "docs/sql/schema.md is out of date; run: node scripts/generate-schema-reference.ts",
    );
    process.exitCode = 1;
  }
} else if (present !== text) writeFileSync(target, text);

async function found(): Promise<readonly FoundTable[]> {
  const given = process.env["CLICKHOUSE_URL"];
  if (given) return await schemaOf(given);
  const stack = await startStack();
  try {
    return await schemaOf(stack.clickhouse.url);
  } finally {
    await stack.stop();
  }
}
