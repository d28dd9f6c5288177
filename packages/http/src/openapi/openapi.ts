/** The OpenAPI 3.1 document of an API, made of its registered routes and the schemas that they use. */
import type { ApiRoute } from "../routes.ts";
import { problemDocument } from "../problem-error.ts";
import type { OpenApiDocument, OpenApiOperation } from "./document.ts";
import { type Components, jsonSchemaOf } from "./json-schema.ts";
import type { Made } from "./made.ts";
import { operationOf } from "./operations.ts";

/** What a document says of the whole API. */
export interface ApiDescription {
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  /** What each tag is about, in the order of the document. */
  readonly tags: Readonly<Record<string, string>>;
}

/** The version of the API, as in the paths: it changes only where callers would have to. */
const VERSION = "1";

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

function sorted<T>(byName: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(byName).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
