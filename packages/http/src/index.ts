export * from "./api-server.ts";
export * from "./bearer-key.ts";
export * from "./problem-error.ts";
