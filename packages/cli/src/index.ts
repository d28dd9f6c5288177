/** The parts of the command that the demo, the fault suite and the bench use to run real services as child processes. */
export * from "./cli-error.ts";
export { createProgram } from "./program.ts";
export * from "./processes/service-process.ts";
export * from "./processes/services.ts";
export * from "./processes/service-memory.ts";
export { newKeys, type DevKeys } from "./dev-folder.ts";
export { newTenantUser } from "./dev/tenant-user.ts";
export { migrate } from "./processes/migrate.ts";
export * from "./publish/event-view.ts";
export * from "./publish/wait-for-events.ts";
export * from "./receiver.ts";
