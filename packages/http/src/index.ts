export * from "./api-server.ts";
export * from "./routes.ts";
export * from "./key-token.ts";
export * from "./known-keys.ts";
export * from "./caller.ts";
export * from "./other-tenant.ts";
export * from "./access.ts";
export * from "./operation.ts";
export {
  responseOf,
  type OpenApiDocument,
  type OpenApiOperation,
} from "./openapi/document.ts";
export type { ApiDescription } from "./openapi/openapi.ts";
export * from "./json-body.ts";
export * from "./problem-error.ts";
