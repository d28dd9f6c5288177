/**
 * Makes a function of a JSON Schema, once for each version of it. Ajv writes JavaScript of the schema, so only a schema that
 * `boundedSchema` has read comes here.
 */
import type { Problem } from "@postrider/core";
import {
  _,
  Ajv2020,
  type ErrorObject,
  type ValidateFunction,
} from "ajv/dist/2020.js";
import {
  type BoundedSchema,
  COST,
  type Cost,
  EXTENT,
} from "./bounded-schema.ts";
import { linearPatterns } from "./linear-pattern.ts";
import {
  MOST_ERRORS,
  payloadProblems,
  TOO_MANY_STEPS,
} from "./payload-problems.ts";
import { Steps } from "./steps.ts";
import { hasTwins } from "./twins.ts";

/** What is wrong with a parsed payload; empty: nothing. Never throws, and never runs long. */
export type PayloadCheck = (
  payload: unknown,
  /** How large it is as JSON; left out: as large as may be. */
  bytes?: number,
) => readonly Problem[];

type Readable = Extract<BoundedSchema, { kind: "schema" }>;

/** Throws for a schema that breaks a rule of JSON Schema: `schemaProblems` says which. */
export function payloadCheck({ schema }: Readable): PayloadCheck {
  const steps = new Steps();
  const validate = anAjv(steps).compile(schema);
  keepFewErrors(validate.schemaEnv);
  return (payload, bytes) => {
    steps.begin(bytes);
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

/**
 * Ajv leaves all errors of a check at its functions, the one of the schema and one for each reference, until the next check. There may
 * be as many as steps: so only the last few are kept, until they are read.
 */
function keepFewErrors(root: ValidateFunction["schemaEnv"]): void {
  for (const env of [root, ...Object.values(root.refs)]) {
    const { validate } = env as { validate?: unknown }; // true and false have none
    if (typeof validate !== "function") continue;
    let kept: readonly ErrorObject[] | null = null;
    Object.defineProperty(validate, "errors", {
      configurable: true,
      get() {
        const read = kept;
        kept = null;
        return read;
      },
      set(errors: readonly ErrorObject[] | null | undefined) {
        kept = errors?.slice(-MOST_ERRORS) ?? null;
      },
    });
  }
}

/** One for each schema: what ajv keeps of it goes with it. */
function anAjv(steps: Steps): Ajv2020 {
  const ajv = new Ajv2020({
    ...OPTIONS,
    // A JSON pointer would be made of the payload's names, however long, at each error.
    jsPropertySyntax: true,
    // Each name costs code.
    loopRequired: 20,
    code: {
      regExp: linearPatterns(steps),
      // It takes longer than it saves: seconds, of a large schema.
      optimize: false,
    },
  });
  // The keywords that need it are refused, and it would be work that is not counted.
  ajv.opts.unevaluated = false;
  const take = (
    count: number,
    extents: number,
    value: unknown,
    errors: number,
  ): void => {
    const copied = (extents & EXTENT.errors) === 0 ? 0 : errors / 32;
    steps.take(count + copied + extentOf(value, extents));
  };
  ajv.addKeyword({
    keyword: COST,
    // The first of all, or what fails early would not be counted.
    before: "$ref",
    code({ gen, data, schema }) {
      const { steps: count, extents } = schema as Cost; // `boundedSchema` has written it
      const name = gen.scopeValue("func", { ref: take });
      gen.code(_`${name}(${count}, ${extents}, ${data}, errors)`);
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
