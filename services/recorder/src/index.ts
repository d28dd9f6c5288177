export * from "./config.ts";
export { compose } from "./compose.ts";
