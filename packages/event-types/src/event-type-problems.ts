/** What is wrong with an event type that is to be stored. Control refuses it for that; `event-types apply` tells it before. */
import { type Problem, ProblemList } from "@postrider/core";
import { boundedSchema, MAX_SCHEMA_DEPTH } from "./bounded-schema.ts";
import { isDeeperThan } from "./json-depth.ts";
import { payloadCheck, schemaErrors } from "./payload-check.ts";

/** Of the schema, and of the example, as JSON text. */
export const MAX_JSON_BYTES = 65_536;
const MAX_EXAMPLE_DEPTH = 64;

/** Null: there is none. */
export interface DescribedPayload {
  readonly schema: unknown;
  readonly example: unknown;
}

export function eventTypeProblems(given: DescribedPayload): Problem[] {
  const problems = new ProblemList();
  const example = sizeProblem("example", given.example, MAX_EXAMPLE_DEPTH);
  problems.addIfAny(example);
  if (given.schema !== null)
    problems.addAll(
      schemaProblems(
        given.schema,
        example === undefined ? given.example : null,
      ),
    );
  return problems.list();
}

function schemaProblems(schema: unknown, example: unknown): readonly Problem[] {
  const size = sizeProblem("schema", schema, MAX_SCHEMA_DEPTH);
  if (size !== undefined) return [size];
  const read = boundedSchema(schema);
  if (read.kind === "refused") return read.problems;
  // The others are about branches that do not fit either.
  const [error] = schemaErrors(read);
  if (error !== undefined) {
    const field = `schema${error.instancePath.replaceAll("/", ".")}`;
    return [
      { field, rule: "json_schema", message: error.message ?? "is wrong" },
    ];
  }
  try {
    const check = payloadCheck(read);
    if (example === null) return [];
    const bytes = Buffer.byteLength(JSON.stringify(example));
    return check(example, bytes).map(({ field, ...problem }) => ({
      field: field.replace(/^payload/, "example"),
      ...problem,
    }));
  } catch (error) {
    return [{ field: "schema", rule: "json_schema", message: String(error) }];
  }
}

function sizeProblem(
  field: string,
  value: unknown,
  maxDepth: number,
): Problem | undefined {
  if (isDeeperThan(value, maxDepth))
    return { field, rule: "max_depth", message: `at most ${maxDepth} levels` };
  return Buffer.byteLength(JSON.stringify(value)) > MAX_JSON_BYTES
    ? { field, rule: "max_bytes", message: `at most ${MAX_JSON_BYTES} bytes` }
    : undefined;
}
