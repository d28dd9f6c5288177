/** What the demo, the fault suite and the bench need of the command: real services as child processes. */
export * from "./cli-error.ts";
export { createProgram } from "./program.ts";
export * from "./service-process.ts";
export * from "./services.ts";
export { createPortPicker, type PortPicker } from "./free-port.ts";
export { newKeys, type DevKeys } from "./dev-folder.ts";
export { migrate } from "./commands/migrate.ts";
export * from "./event-view.ts";
export * from "./wait-for-events.ts";
export * from "./receiver.ts";
