/** Checks that what an API answers is what its OpenAPI document says. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

interface Response {
  readonly content?: Readonly<Record<string, object>>;
  /** Where the response is in `components`. */
  readonly $ref?: string;
}

/** The parts of a document that are read here. */
export interface DocumentOfAnswers {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly responses: Readonly<Record<string, Response>> }
        >
      >
    >
  >;
  readonly components: {
    readonly schemas?: object;
    readonly responses?: Readonly<Record<string, Response>>;
  };
}

export interface AnswerToCheck {
  readonly method: string;
  /** With or without a query string. */
  readonly path: string;
  readonly status: number;
  /** The media type, with or without parameters; null where there is none. */
  readonly contentType: string | null;
  readonly text: string;
}

/** Throws an error that says what in an answer is not as documented: its status, its media type, or a field that is wrong, missing or not named. */
export type RequireDocumented = (answer: AnswerToCheck) => void;

/** Paths that the document does not have are for the server's own answers: only 401 and 404 are right there. */
export function documentedAnswers(
  document: DocumentOfAnswers,
): RequireDocumented {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  ajv.addSchema(closed(document), "api");
  const patterns = Object.keys(document.paths).map((path) => ({
    path,
    // A path without parameters first: `/v1/replays/preview` is no `/v1/replays/{id}`.
    parameters: path.split("{").length,
    matches: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  }));
  patterns.sort((a, b) => a.parameters - b.parameters);
  const validators = new Map<string, ValidateFunction>();

  function validatorAt(pointer: string): ValidateFunction {
    const known = validators.get(pointer);
    if (known !== undefined) return known;
    const made = ajv.compile({ $ref: `api#${pointer}` });
    validators.set(pointer, made);
    return made;
  }

  return ({ method, path: asked, status, contentType, text }) => {
    const [bare = ""] = asked.split("?");
    const what = `${status} of ${method} ${bare}`;
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    const path = patterns.find(
      (each) => each.matches.test(bare) && document.paths[each.path]?.[verb],
    )?.path;
    if (path === undefined) {
      if (status === 401 || status === 404 || status === 400) return;
      throw new Error(`${what}: the document has no such operation`);
    }
    const given = document.paths[path]?.[verb]?.responses[status];
    const name = given?.$ref?.split("/").at(-1);
    const response =
      name === undefined ? given : document.components.responses?.[name];
    if (response === undefined)
      throw new Error(`${what}: the document has no such status`);
    if (method === "HEAD") return;
    const type = contentType?.split(";")[0]?.trim() ?? "";
    if (response.content === undefined) {
      if (text !== "") throw new Error(`${what}: no body is documented`);
      return;
    }
    if (response.content[type] === undefined)
      throw new Error(`${what}: no body of the type ${type} is documented`);
    const body: unknown = type.endsWith("json") ? JSON.parse(text) : text;
    const at =
      name === undefined
        ? ["paths", path, verb, "responses", String(status)]
        : ["components", "responses", name];
    const pointer = [...at, "content", type, "schema"]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .map((part) => `/${encodeURIComponent(part)}`)
      .join("");
    const validate = validatorAt(pointer);
    if (!validate(body))
      throw new Error(`${what}: ${ajv.errorsText(validate.errors)}`);
  };
}

/** A document says nothing of further fields, because an answer may get more of them. Here each must be named. */
function closed(value: unknown): object {
  return walk(value) as object; // a document is an object
}

function walk(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, walk(inner)]),
  );
  const isObject = copy["type"] === "object" && "properties" in copy;
  if (isObject) copy["additionalProperties"] ??= false;
  return copy;
}
