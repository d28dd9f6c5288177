/** The OpenAPI 3.1 document of an API, made of its registered routes and the schemas that they use. */
import type { z } from "zod";
import { type Access, EVERYONE } from "./access.ts";
import type { ApiRoute } from "./routes.ts";
import {
  type Components,
  type JsonSchema,
  jsonSchemaOf,
} from "./json-schema.ts";
import type { Answer, Operation } from "./operation.ts";
import {
  COMMON_KINDS,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  type ProblemKinds,
  problemType,
} from "./problem-error.ts";

/** What a document says of the whole API. */
export interface ApiDescription {
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  /** What each tag is about, in the order of the document. */
  readonly tags: Readonly<Record<string, string>>;
}

/** The parts of a document that its readers use (https://spec.openapis.org/oas/v3.1.1). */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
  };
  readonly tags: readonly {
    readonly name: string;
    readonly description: string;
  }[];
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, OpenApiOperation>>>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
    readonly headers: Readonly<Record<string, object>>;
    /** The problems that several operations answer with. */
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
  };
  readonly security: readonly object[];
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security?: readonly object[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, OpenApiResponse | Reference>>;
}

export interface Reference {
  readonly $ref: string;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

interface MediaType {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

/** The version of the API, as in the paths: it changes only where callers would have to. */
const VERSION = "1";
const JSON_TYPE = "application/json";

/** Of the routes that say what they take and answer. The HEAD of a GET is left out: it answers as that does, without a body. */
export function openApiOf(
  { title, description, tags }: ApiDescription,
  routes: readonly ApiRoute[],
): OpenApiDocument {
  const schemas: Components = {};
  const problem = jsonSchemaOf(problemDocument, "output", schemas);
  const made: Made = { schemas, problem, responses: {} };
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const { method, url, access, operation } of routes) {
    if (operation === null || method === "HEAD") continue;
    const path = url.replaceAll(/:(\w+)/g, "{$1}");
    const described = { url, method, access, operation };
    (paths[path] ??= {})[method.toLowerCase()] = operationOf(described, made);
  }
  return {
    openapi: "3.1.1",
    info: {
      title,
      version: VERSION,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: Object.entries(tags).map(([name, about]) => ({
      name,
      description: about,
    })),
    paths,
    components: {
      schemas: sorted(made.schemas),
      responses: sorted(made.responses),
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "An API key, or the key of `POSTRIDER_ADMIN_KEY`.",
        },
      },
      headers: {
        RequestId: {
          description:
            "The request's id: its own `x-request-id` where it sent one, else a new one. Also in the log.",
          schema: { type: "string" },
        },
      },
    },
    security: [{ key: [] }],
  };
}

type Described = Pick<ApiRoute, "url" | "method" | "access"> & {
  readonly operation: Operation;
};

/** What operations share. */
interface Made {
  readonly schemas: Components;
  /** Refers to the schema of a problem document. */
  readonly problem: JsonSchema;
  readonly responses: Record<string, OpenApiResponse>;
}

function operationOf(route: Described, made: Made): OpenApiOperation {
  const { schemas } = made;
  const { access, operation } = route;
  const { id, tag, summary, description, body, answers } = operation;
  const parameters = parametersOf(route, schemas);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, whoMay(access)].filter(Boolean).join("\n\n"),
    ...(access === EVERYONE ? { security: [] } : {}),
    parameters,
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.isOptional !== true,
            content: {
              [JSON_TYPE]: mediaType(
                jsonSchemaOf(body.schema, "input", schemas),
                body.example,
              ),
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          answerOf(answer, schemas),
        ]),
      ),
      ...problemsOf(kindsOf(route, parameters), made),
    },
  };
}

function whoMay(access: Access | typeof EVERYONE): string {
  if (access === EVERYONE) return "Needs no key.";
  const roles = access.roles.map((role) => `\`${role}\``).join(" or ");
  return `Needs a key with the role ${roles}${access.isForTenants ? "; one with a tenant keeps to that tenant" : ", without a tenant"}.`;
}

function parametersOf(
  { url, operation }: Described,
  schemas: Components,
): OpenApiParameter[] {
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  const inPath = parametersIn("path", operation.params, schemas);
  return [
    ...names.map(
      (name) =>
        inPath.find((each) => each.name === name) ?? {
          name,
          in: "path" as const,
          required: true,
          schema: { type: "string" as const },
        },
    ),
    ...parametersIn("query", operation.query, schemas),
    ...parametersIn("header", operation.headers, schemas),
  ];
}

function parametersIn(
  place: OpenApiParameter["in"],
  of: z.ZodObject | undefined,
  schemas: Components,
): OpenApiParameter[] {
  if (of === undefined) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(of, "input", schemas);
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = schema as JsonSchema; // zod makes no `true` and `false` of a property
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

const REQUEST_ID = {
  "x-request-id": { $ref: "#/components/headers/RequestId" },
};

function answerOf(
  { description, body, headers = {}, mediaType: type, example }: Answer,
  schemas: Components,
): OpenApiResponse {
  const schema =
    body !== undefined
      ? jsonSchemaOf(body, "output", schemas)
      : type !== undefined
        ? ({ type: "string" } as const)
        : undefined;
  return {
    description,
    headers: {
      ...REQUEST_ID,
      ...Object.fromEntries(
        Object.entries(headers).map(([name, about]) => [
          name,
          { description: about, schema: { type: "string" } },
        ]),
      ),
    },
    ...(schema === undefined
      ? {}
      : { content: { [type ?? JSON_TYPE]: mediaType(schema, example) } }),
  };
}

function mediaType(schema: JsonSchema, example: unknown): MediaType {
  return { schema, ...(example === undefined ? {} : { example }) };
}

/** What a route may answer with beside success: its own kinds, and those that the server itself adds. */
function kindsOf(
  { access, method, operation }: Described,
  parameters: readonly OpenApiParameter[],
): ProblemKinds {
  const own = operation.problems ?? {};
  const { bad_request, internal, stopping } = COMMON_KINDS;
  const always = { bad_request, internal, stopping };
  if (access === EVERYONE) return { ...always, ...own };
  const { unauthenticated, forbidden, limited, keys_behind } = COMMON_KINDS;
  const { invalid, not_found, too_large, unsupported_media_type } =
    COMMON_KINDS;
  const isWrite = method !== "GET";
  return {
    ...always,
    ...(isWrite || parameters.length > 0 ? { invalid } : {}),
    unauthenticated,
    forbidden,
    ...(parameters.some((each) => each.in === "path") ? { not_found } : {}),
    ...(isWrite ? { too_large, unsupported_media_type } : {}),
    limited,
    keys_behind,
    ...own,
  };
}

/** One response for each status, which says the kinds that it has. */
function problemsOf(
  kinds: ProblemKinds,
  { problem, responses }: Made,
): Record<string, Reference> {
  const byStatus = Map.groupBy(
    Object.entries(kinds).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ([, [status]]) => status,
  );
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => {
      const name = [status, ...of.map(([code]) => code)].join(".");
      const types = of.map(([code]) => problemType(code));
      responses[name] ??= {
        description: of.map(([, [, title]]) => title).join("; "),
        headers: {
          ...REQUEST_ID,
          ...(status === 429 || status === 503 ? RETRY_AFTER : {}),
        },
        content: {
          [PROBLEM_MEDIA_TYPE]: {
            schema: {
              allOf: [problem, { properties: { type: { enum: types } } }],
            },
          },
        },
      };
      return [status, { $ref: `${RESPONSES}${name}` }];
    }),
  );
}

const RESPONSES = "#/components/responses/";

/** The response itself where an operation refers to one. */
export function responseOf(
  { components }: Pick<OpenApiDocument, "components">,
  response: OpenApiResponse | Reference,
): OpenApiResponse {
  if (!("$ref" in response)) return response;
  const found = components.responses[response.$ref.slice(RESPONSES.length)];
  if (found === undefined) throw new Error(`there is no ${response.$ref}`);
  return found;
}

const RETRY_AFTER = {
  "retry-after": {
    description: "Seconds, where it is known when to ask again",
    schema: { type: "integer" },
  },
};

function sorted<T>(byName: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(byName).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
