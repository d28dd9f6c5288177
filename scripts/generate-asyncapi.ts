/**
 * Writes docs/asyncapi/topics.json, the AsyncAPI 3.0 document of the topics. First it is held against the specification's own JSON schema.
 * `node scripts/generate-asyncapi.ts --check` writes nothing and exits 1 when the file would change, or the document is not valid.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { asyncApiDocument } from "./asyncapi-of.ts";
import { asyncApiProblems } from "./asyncapi-problems.ts";

const target = new URL("../docs/asyncapi/topics.json", import.meta.url);
const document = asyncApiDocument();
const problems = asyncApiProblems(document);
const text = await format(JSON.stringify(document), { parser: "json" });
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
if (problems.length > 0) {
  console.error(`The document is not AsyncAPI 3.0:\n${problems.join("\n")}`);
  process.exitCode = 1;
} else if (process.argv.includes("--check")) {
  if (present !== text) {
    console.error(
      "docs/asyncapi/topics.json is out of date; run: node scripts/generate-asyncapi.ts",
    );
    process.exitCode = 1;
  }
} else if (present !== text) {
  mkdirSync(new URL(".", target), { recursive: true });
  writeFileSync(target, text);
}
