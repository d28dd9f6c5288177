/** What the document says of one route: what it takes, who may call it, and what it answers. */
import type { z } from "zod";
import { type Access, EVERYONE } from "../access.ts";
import { answerOf, mediaType } from "./answers.ts";
import {
  JSON_TYPE,
  type OpenApiOperation,
  type OpenApiParameter,
} from "./document.ts";
import {
  type Components,
  type JsonSchema,
  jsonSchemaOf,
} from "./json-schema.ts";
import type { Described, Made } from "./made.ts";
import { kindsOf, problemsOf } from "./problems.ts";

export function operationOf(route: Described, made: Made): OpenApiOperation {
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
