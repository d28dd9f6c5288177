/** What the making of a document begins with, and what its operations share. */
import type { Operation } from "../operation.ts";
import type { ApiRoute } from "../routes.ts";
import type { OpenApiResponse } from "./document.ts";
import type { Components, JsonSchema } from "./json-schema.ts";

/** A route that says what it takes and answers. */
export type Described = Pick<ApiRoute, "url" | "method" | "access"> & {
  readonly operation: Operation;
};

/** What operations share. */
export interface Made {
  readonly schemas: Components;
  /** Refers to the schema of a problem document. */
  readonly problem: JsonSchema;
  readonly responses: Record<string, OpenApiResponse>;
}
