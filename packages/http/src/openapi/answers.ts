/** What the document says of an answer that is a success, and what every answer has. */
import type { Answer } from "../operation.ts";
import { JSON_TYPE, type MediaType, type OpenApiResponse } from "./document.ts";
import {
  type Components,
  type JsonSchema,
  jsonSchemaOf,
} from "./json-schema.ts";

/** The headers of every answer. */
export const REQUEST_ID = {
  "x-request-id": { $ref: "#/components/headers/RequestId" },
};

export function answerOf(
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

export function mediaType(schema: JsonSchema, example: unknown): MediaType {
  return { schema, ...(example === undefined ? {} : { example }) };
}
