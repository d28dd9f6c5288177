export * from "./api-server.ts";
export * from "./key-token.ts";
export * from "./known-keys.ts";
export * from "./caller.ts";
export * from "./other-tenant.ts";
export * from "./access.ts";
export * from "./json-body.ts";
export * from "./problem-error.ts";
