/** What is wrong with an AsyncAPI 3.0 document, by the JSON schema of the specification's authors. */
import { createRequire } from "node:module";
import { Ajv } from "ajv";

const load = createRequire(import.meta.url);

/** One line for each problem; empty if the document is valid, and each reference in it leads somewhere. */
export function asyncApiProblems(document: unknown): string[] {
  const schema = load(
    "@asyncapi/specs/schemas/3.0.0-without-$id.json",
  ) as object;
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    // Formats are told apart by nobody here: dates and addresses stand in examples alone.
    validateFormats: false,
  });
  const isValid = ajv.compile(schema);
  isValid(document);
  const invalid = (isValid.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message}`,
  );
  const lost = referencesIn(document)
    .filter((reference) => !leads(document, reference))
    .map((reference) => `${reference} leads to nothing`);
  return [...invalid, ...lost];
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" ? [String(inner)] : referencesIn(inner),
  );
}

function leads(document: unknown, reference: string): boolean {
  if (!reference.startsWith("#/")) return false;
  let at: unknown = document;
  for (const step of reference.slice(2).split("/")) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name))
      return false;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return true;
}
