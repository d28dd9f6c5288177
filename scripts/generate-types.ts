/**
 * Writes packages/core/src/records.ts from schemas/*.avsc, which are the source of truth.
 * `node scripts/generate-types.ts --check` writes nothing and exits 1 when the file would change.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

type AvroType = string | AvroType[] | AvroObject;
interface AvroField {
  name: string;
  type: AvroType;
  doc?: string;
}
interface AvroObject {
  type: string | AvroObject;
  name?: string;
  doc?: string;
  fields?: AvroField[];
  items?: AvroType;
  values?: AvroType;
  logicalType?: string;
}

const root = new URL("..", import.meta.url);
const target = new URL("packages/core/src/records.ts", root);

const interfaces = new Map<string, string>();
const files = readdirSync(new URL("schemas/", root))
  .filter((file) => file.endsWith(".avsc"))
  .toSorted();
for (const file of files) {
  typeOf(
    JSON.parse(
      readFileSync(new URL(`schemas/${file}`, root), "utf8"),
    ) as AvroType,
  );
}
const text = [
  "// Generated from schemas/*.avsc by `npm run types`. Do not edit.",
  'import type { EpochMs } from "./time.ts";',
  ...interfaces.values(),
].join("\n\n");

if (!process.argv.includes("--check")) {
  writeFileSync(target, `${text}\n`);
} else if (readFileSync(target, "utf8") !== `${text}\n`) {
  console.error(
    "packages/core/src/records.ts differs from schemas/*.avsc. Run: npm run types",
  );
  process.exitCode = 1;
}

/** The TypeScript type of an Avro type. Records found on the way are added to `interfaces`, each name once. */
function typeOf(type: AvroType): string {
  if (Array.isArray(type)) return type.map(typeOf).join(" | ");
  if (typeof type === "string") return primitive(type);
  if (type.type === "array") return `readonly ${group(typeOf(type.items!))}[]`;
  if (type.type === "map")
    return `Readonly<Record<string, ${typeOf(type.values!)}>>`;
  if (type.type === "record") return recordOf(type);
  if (type.logicalType === "timestamp-millis") return "EpochMs";
  return typeOf(type.type);
}

function recordOf(record: AvroObject): string {
  const name = record.name!;
  const fields = record.fields!.map(
    (field) =>
      `  /** ${field.doc ?? field.name} */\n  readonly ${field.name}: ${typeOf(field.type)};`,
  );
  const body = `/** ${record.doc ?? name} */\nexport interface ${name} {\n${fields.join("\n")}\n}`;
  const known = interfaces.get(name);
  if (known !== undefined && known !== body)
    throw new Error(
      `schemas: record ${name} is defined twice and differently. Make the definitions equal.`,
    );
  interfaces.set(name, body);
  return name;
}

function group(type: string): string {
  return type.includes("|") ? `(${type})` : type;
}

function primitive(name: string): string {
  const known: Record<string, string> = {
    null: "null",
    string: "string",
    bytes: "Uint8Array",
    boolean: "boolean",
    int: "number",
    long: "number",
    double: "number",
  };
  return known[name] ?? name;
}
