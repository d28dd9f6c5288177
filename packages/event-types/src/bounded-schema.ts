/**
 * Reads a JSON Schema from outside: what it may say, and how much. Invariant: of a schema that was read, each subschema has its
 * `COST`, so that a payload's check is counted (steps.ts); each reference leads to a part of the same schema; and none leads back to
 * itself without going deeper into the payload. Keywords that are not checked are refused, because who writes them relies on them.
 */
import { isFields, type Problem, ProblemList } from "@postrider/core";
import { isDeeperThan, valuesIn } from "./json-depth.ts";
import { readPattern } from "./linear-pattern.ts";

/** The keyword that each subschema gets, with its `Cost`. Its name is not one that a schema may have. */
export const COST = "postrider:cost";

/** What a subschema takes of `Steps` at each value that it is applied to. */
export interface Cost {
  readonly steps: number;
  /** What takes more: a sum of `EXTENT`. */
  readonly extents: number;
}

/** A step for each field, for each item, for each 16 characters, for each 32 errors that there are already. */
export const EXTENT = {
  fields: 1,
  items: 2,
  characters: 4,
  errors: 8,
} as const;

export type BoundedSchema =
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  | {
      readonly kind: "schema";
      /** For the validator only: without notes, and with costs. */
      readonly schema: object | boolean;
      readonly subschemas: number;
    };

export const MAX_SCHEMA_DEPTH = 64;
/** Compiling as many takes some tenths of a second, once for each version of a schema. */
const MAX_SUBSCHEMAS = 500;
/** Instructions of all patterns: compiling as many takes a tenth of a second. */
const MAX_PATTERNS_SIZE = 20_000;
/** Names in `dependentRequired`: ajv writes code for each. */
const MAX_DEPENDENT_NAMES = 1_000;

/** What stands under a keyword. A `deeper` one is applied to parts of the value, the others to the value itself. */
const KEYWORDS: ReadonlyMap<
  string,
  {
    readonly holds: "value" | "schema" | "schemas" | "named" | "note";
    readonly deeper?: true;
  }
> = new Map([
  ...each("value", [
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum",
    "maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains",
    "maxProperties minProperties required dependentRequired $ref",
  ]),
  ...each("schema", ["not if then else"]),
  ...each("schema", ["items contains additionalProperties"], true),
  ...each("schema", ["propertyNames"], true),
  ...each("schemas", ["allOf anyOf oneOf"]),
  ...each("schemas", ["prefixItems"], true),
  ...each("named", ["dependentSchemas"]),
  ...each("named", ["properties patternProperties"], true),
  ...each("note", [
    "title description default examples deprecated readOnly writeOnly $comment",
    "format contentEncoding contentMediaType",
  ]),
]);

/** At the root only. */
const ROOT_NOTES = new Set(["$schema", "$id"]);
const DEFINITIONS = ["$defs", "definitions"];

/** The drafts in which the keywords above mean the same. */
const DRAFTS = new Set([
  "https://json-schema.org/draft/2020-12/schema",
  "https://json-schema.org/draft/2019-09/schema",
  "http://json-schema.org/draft-07/schema",
]);

const PER_FIELD = [
  "additionalProperties",
  "patternProperties",
  "propertyNames",
  "minProperties",
  "maxProperties",
];
const PER_ITEM = ["contains", "uniqueItems"];
const PER_CHARACTER = ["minLength", "maxLength", "const", "enum"];
/** Ajv copies the errors that there are when what is referred to adds its own. */
const PER_ERROR = ["$ref"];

export function boundedSchema(given: unknown): BoundedSchema {
  if (isDeeperThan(given, MAX_SCHEMA_DEPTH))
    return refused(
      wrong("schema", "max_depth", `at most ${MAX_SCHEMA_DEPTH} levels`),
    );
  const reading = new Reading();
  const schema = reading.root(given);
  const problems = reading.problems.list();
  if (problems.length > 0) return { kind: "refused", problems };
  return { kind: "schema", schema, subschemas: reading.subschemas };
}

/** Where a subschema stands. */
interface Place {
  /** The path for problems: `schema.properties.total`. */
  readonly path: string;
  /** The reference of the root or the definition that is applied to the same value; null: it is applied to a part of it. */
  readonly of: string | null;
}

class Reading {
  readonly problems = new ProblemList();
  subschemas = 0;
  #patternsSize = 0;
  #isPatternRefused = false;
  #dependentNames = 0;
  /** Of the root and of each definition: to what its references lead that are applied to the same value. */
  readonly #leads = new Map<string, string[]>();
  readonly #references: { readonly path: string; readonly to: string }[] = [];

  root(given: unknown): object | boolean {
    const path = "schema";
    if (!isFields(given)) {
      this.#wrong(path, "type", "must be a JSON Schema: an object");
      return false;
    }
    const rest: Record<string, unknown> = { ...given };
    const { $schema } = rest;
    if ($schema !== undefined && !isDraft($schema))
      this.#wrong(
        `${path}.$schema`,
        "draft",
        `must be left out, or one of ${[...DRAFTS].join(", ")}`,
      );
    const definitions: Record<string, unknown> = {};
    this.#leads.set("#", []);
    for (const keyword of DEFINITIONS) {
      const named = rest[keyword];
      delete rest[keyword];
      if (named === undefined) continue;
      if (!isFields(named)) {
        this.#wrong(`${path}.${keyword}`, "type", "must be an object");
        continue;
      }
      definitions[keyword] = mapped(named, (name, inner) => {
        const of = `#/${keyword}/${escaped(name)}`;
        this.#leads.set(of, []);
        return this.#subschema(inner, {
          path: `${path}.${keyword}.${name}`,
          of,
        });
      });
    }
    for (const note of ROOT_NOTES) delete rest[note];
    const schema = this.#subschema(rest, { path, of: "#" });
    if (this.subschemas > MAX_SUBSCHEMAS)
      this.#wrong(
        path,
        "max_subschemas",
        `has ${this.subschemas} subschemas; at most ${MAX_SUBSCHEMAS}`,
      );
    this.#followReferences();
    return typeof schema === "object" ? { ...schema, ...definitions } : schema;
  }

  #subschema(given: unknown, place: Place): object | boolean {
    this.subschemas += 1;
    if (typeof given === "boolean") return given;
    if (!isFields(given)) {
      this.#wrong(place.path, "type", "must be a schema: an object or boolean");
      return false;
    }
    const read: Record<string, unknown> = {};
    let steps = 1;
    for (const [keyword, value] of Object.entries(given)) {
      const known = KEYWORDS.get(keyword);
      const path = `${place.path}.${keyword}`;
      if (known === undefined) {
        this.#wrong(path, "unknown", unknownKeyword(keyword));
        continue;
      }
      if (known.holds === "note") continue;
      const of = known.deeper ? null : place.of;
      read[keyword] = this.#under(known.holds, value, { path, of });
      steps += known.holds === "value" ? valuesIn(value) : widthOf(value);
      if (keyword === "pattern") this.#pattern(value, path);
      if (keyword === "patternProperties" && isFields(value))
        for (const pattern of Object.keys(value))
          this.#pattern(pattern, `${path}.${pattern}`);
      if (keyword === "dependentRequired") this.#dependent(value, path);
      if (keyword === "$ref") this.#reference(value, { path, of });
    }
    const ifAny = (extent: number, keywords: readonly string[]): number =>
      keywords.some((keyword) => keyword in read) ? extent : 0;
    const extents =
      ifAny(EXTENT.fields, PER_FIELD) +
      ifAny(EXTENT.items, PER_ITEM) +
      ifAny(EXTENT.characters, PER_CHARACTER) +
      ifAny(EXTENT.errors, PER_ERROR);
    const cost: Cost = { steps, extents };
    return { ...read, [COST]: cost };
  }

  #under(
    holds: "value" | "schema" | "schemas" | "named",
    value: unknown,
    { path, of }: Place,
  ): unknown {
    switch (holds) {
      case "value":
        return value;
      case "schema":
        return this.#subschema(value, { path, of });
      case "schemas":
        if (Array.isArray(value))
          return value.map((inner, at) =>
            this.#subschema(inner, { path: `${path}[${at}]`, of }),
          );
        this.#wrong(path, "type", "must be a list of schemas");
        return [];
      case "named":
        if (isFields(value))
          return mapped(value, (name, inner) =>
            this.#subschema(inner, { path: `${path}.${name}`, of }),
          );
        this.#wrong(path, "type", "must be an object of schemas");
        return {};
    }
  }

  #pattern(pattern: unknown, path: string): void {
    if (typeof pattern !== "string") return; // its type is found out later, with that of other values
    if (this.#isPatternRefused) return; // reading further ones may take long
    const read = readPattern(pattern);
    if (read.problem === null) this.#patternsSize += read.size;
    const problem =
      this.#patternsSize > MAX_PATTERNS_SIZE
        ? "is too much, together with the patterns before it"
        : read.problem;
    if (problem === null) return;
    this.#isPatternRefused = true;
    this.#wrong(path, "pattern", problem);
  }

  #dependent(value: unknown, path: string): void {
    this.#dependentNames += valuesIn(value);
    if (this.#dependentNames > MAX_DEPENDENT_NAMES)
      this.#wrong(
        path,
        "max_names",
        `at most ${MAX_DEPENDENT_NAMES} names in the whole schema`,
      );
  }

  #reference(to: unknown, { path, of }: Place): void {
    if (typeof to !== "string") return; // as above
    this.#references.push({ path, to });
    if (of !== null) this.#leads.get(of)?.push(to);
  }

  #followReferences(): void {
    for (const { path, to } of this.#references)
      if (!this.#leads.has(to))
        this.#wrong(
          path,
          "reference",
          "must be #, #/$defs/NAME or #/definitions/NAME of this schema; nothing is fetched",
        );
    for (const start of this.#leads.keys())
      if (this.#leadsTo(start, start)) {
        const path = start === "#" ? "schema" : `schema${start.slice(1)}`;
        this.#wrong(
          path.replaceAll("/", "."),
          "loop",
          "leads back to itself without going deeper into the payload",
        );
      }
  }

  #leadsTo(from: string, wanted: string): boolean {
    const seen = new Set<string>();
    const open = [...(this.#leads.get(from) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === wanted) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(this.#leads.get(next) ?? []));
    }
    return false;
  }

  #wrong(field: string, rule: string, message: string): void {
    this.problems.add(wrong(field, rule, message));
  }
}

function each(
  holds: "value" | "schema" | "schemas" | "named" | "note",
  keywords: readonly string[],
  deeper?: true,
) {
  return keywords
    .flatMap((line) => line.split(" "))
    .map((keyword) => [keyword, { holds, ...(deeper && { deeper }) }] as const);
}

function isDraft(given: unknown): boolean {
  return typeof given === "string" && DRAFTS.has(given.replace(/#$/, ""));
}

function unknownKeyword(keyword: string): string {
  if (ROOT_NOTES.has(keyword) || DEFINITIONS.includes(keyword))
    return "may stand at the root only";
  return "is not a keyword that is checked";
}

/** How many subschemas stand directly under a keyword. */
function widthOf(value: unknown): number {
  return typeof value === "object" && value !== null
    ? Object.keys(value).length
    : 1;
}

/** A name in a reference (RFC 6901). */
function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** `Object.fromEntries` makes an own field also of `__proto__`. */
function mapped(
  fields: Readonly<Record<string, unknown>>,
  of: (name: string, value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, of(name, value)]),
  );
}

function wrong(field: string, rule: string, message: string): Problem {
  return { field, rule, message };
}

function refused(problem: Problem): BoundedSchema {
  return { kind: "refused", problems: [problem] };
}
