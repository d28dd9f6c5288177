export * from "./api-server.ts";
export * from "./bearer-key.ts";
export * from "./caller.ts";
export * from "./json-body.ts";
export * from "./problem-error.ts";
