/** JSON Schemas (2020-12, as OpenAPI 3.1 has it) of the zod schemas that routes use. */
import { z } from "zod";

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Named schemas of a document, by name: those with an `id` in their meta. */
export type Components = Record<string, JsonSchema>;

const NAMED = "#/$defs/";

/**
 * The JSON Schema of what goes in (a request), or of what comes out. What zod checks by code is not in it. Named schemas are put
 * into `components`, and referred to. Throws if two schemas have one name.
 */
export function jsonSchemaOf(
  schema: z.ZodType,
  io: "input" | "output",
  components: Components,
): JsonSchema {
  // As a property of another schema, so that a schema that is named itself becomes a reference, too.
  const { $defs = {}, properties } = z.toJSONSchema(z.object({ of: schema }), {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => tidy(jsonSchema, io),
  });
  for (const [name, named] of Object.entries($defs)) {
    const { id: _, ...rest } = named;
    const found = inComponents(rest) as JsonSchema; // an object becomes an object
    const known = components[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(found))
      throw new Error(`two schemas have the name ${name}`);
    components[name] = found;
  }
  return inComponents(properties?.["of"] ?? {}) as JsonSchema; // as above
}

/** Removes what only zod means by it, and what would bind clients to fields of today: an answer may get more of them. */
function tidy(schema: JsonSchema, io: "input" | "output"): void {
  delete schema.readOnly;
  if (io === "output" && schema.additionalProperties === false)
    delete schema.additionalProperties;
  // Of a number in a query string zod checks the text.
  if (schema.type === "integer" || schema.type === "number")
    delete schema.pattern;
  // zod's own is several lines long, and says no more.
  if (schema.format === "date-time") delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

function inComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inComponents);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string" && inner.startsWith(NAMED)
        ? [key, `#/components/schemas/${inner.slice(NAMED.length)}`]
        : [key, inComponents(inner)],
    ),
  );
}
