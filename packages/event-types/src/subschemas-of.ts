import { boundedSchema } from "./bounded-schema.ts";

/**
 * So many subschemas may the types of one tenant have together, and so many those of every tenant. Compiling 500 takes 30 to 60 ms of the
 * thread that judges everybody's events, and 20,000 are kept compiled (compiled-schemas.ts).
 * 2 MiB of text hold 200,000: such a tenant's events, each of another type, would have a schema compiled each. With one tenant's and every
 * tenant's at this limit all are kept. Several tenants at the limit that publish at once still make each other's compiled again.
 */
export const MAX_SUBSCHEMAS_OF_OWNER = 10_000;

/** How many subschemas the text of an event type's schema has, as they count against the limit. */
export function subschemasOf(schema: string): number {
  const read = boundedSchema(JSON.parse(schema));
  return read.kind === "schema" ? read.subschemas : 1;
}
