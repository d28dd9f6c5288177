/**
 * Makes a function of a JSON Schema, once for each version of it. Ajv writes JavaScript of the schema, so only a schema that
 * `boundedSchema` has read comes here.
 */
import type { Problem } from "@postrider/core";
import { _, Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import {
  type BoundedSchema,
  COST,
  type Cost,
  EXTENT,
} from "./bounded-schema.ts";
import { linearPatterns } from "./linear-pattern.ts";
import { payloadProblems, TOO_MANY_STEPS } from "./payload-problems.ts";
import { Steps } from "./steps.ts";
import { hasTwins } from "./twins.ts";

/** What is wrong with a parsed payload; empty: nothing. Never throws, and never runs long. */
export type PayloadCheck = (payload: unknown) => readonly Problem[];

type Readable = Extract<BoundedSchema, { kind: "schema" }>;

/** Throws for a schema that breaks a rule of JSON Schema: `schemaProblems` says which. */
export function payloadCheck({ schema }: Readable): PayloadCheck {
  const steps = new Steps();
  const validate = anAjv(steps).compile(schema);
  return (payload) => {
    steps.begin();
    try {
      if (validate(payload)) return [];
    } catch {
      // Too many steps, or a payload so deep that they do not fit on the stack.
      return [TOO_MANY_STEPS];
    }
    return payloadProblems(validate.errors ?? []);
  };
}

/** What breaks a rule of JSON Schema itself, such as a `type` that there is not. */
export function schemaErrors({ schema }: Readable): readonly ErrorObject[] {
  metaAjv ??= new Ajv2020({ ...OPTIONS, meta: true });
  return metaAjv.validateSchema(schema) === true ? [] : (metaAjv.errors ?? []);
}

/** Made at the first use: it compiles the schema of schemas, which takes some hundredths of a second. */
let metaAjv: Ajv2020 | undefined;

const OPTIONS = {
  meta: false,
  strict: false,
  logger: false,
  // Only control, and whoever asks it, checks the schema itself.
  validateSchema: false,
  // A note, as the specification has it: how exact a format is would depend on who checks it.
  validateFormats: false,
  // `toString` is no field of `{}`.
  ownProperties: true,
  // A number beyond a double's range is read as Infinity, and is a number.
  strictNumbers: false,
  // 19.99 is a multiple of 0.01, whatever a double makes of it.
  multipleOfPrecision: 9,
  // Each referenced part is compiled once, however often it is named.
  inlineRefs: false,
} as const;

/** One for each schema: what ajv keeps of it goes with it. */
function anAjv(steps: Steps): Ajv2020 {
  const ajv = new Ajv2020({
    ...OPTIONS,
    code: {
      regExp: linearPatterns(steps),
      // It takes longer than it saves: seconds, of a large schema.
      optimize: false,
    },
  });
  const take = (count: number, extents: number, value: unknown): void =>
    steps.take(count + extentOf(value, extents));
  ajv.addKeyword({
    keyword: COST,
    // The first of all, or what fails early would not be counted.
    before: "$ref",
    code({ gen, data, schema }) {
      const { steps: count, extents } = schema as Cost; // `boundedSchema` has written it
      const name = gen.scopeValue("func", { ref: take });
      gen.code(_`${name}(${count}, ${extents}, ${data})`);
    },
  });
  // Ajv's own compares each item with each other one.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    errors: false,
    validate: (isAsked: boolean, items: readonly unknown[]) =>
      !isAsked || !hasTwins(items, steps),
  });
  return ajv;
}

function extentOf(value: unknown, extents: number): number {
  if (typeof value === "string")
    return (extents & EXTENT.characters) === 0 ? 0 : value.length / 16;
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value))
    return (extents & EXTENT.items) === 0 ? 0 : value.length;
  return (extents & EXTENT.fields) === 0 ? 0 : Object.keys(value).length;
}
