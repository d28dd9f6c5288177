/** The OpenAPI 3.1 document as a type: the parts that its readers use (https://spec.openapis.org/oas/v3.1.1). */
import type { JsonSchema } from "./json-schema.ts";

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

export interface MediaType {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export const JSON_TYPE = "application/json";

export const RESPONSES = "#/components/responses/";

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
