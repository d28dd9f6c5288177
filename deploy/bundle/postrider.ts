/**
 * The bundle's program, and process 1 of the image. `start SERVICE` runs the service in this process (ADR 18): no parent has to
 * pass on signals, and the exit code is the service's own. Everything else is the command.
 */
const SERVICES = {
  ingest: () => import("../../services/ingest/src/main.ts"),
  dispatcher: () => import("../../services/dispatcher/src/main.ts"),
  "retry-scheduler": () => import("../../services/retry-scheduler/src/main.ts"),
  recorder: () => import("../../services/recorder/src/main.ts"),
  control: () => import("../../services/control/src/main.ts"),
};

const [command, service = "", ...rest] = process.argv.slice(2);
if (command === "start" && isService(service) && rest.length === 0) {
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, endUnlessStarted);
  process.argv.splice(2, 2); // a service reads its own arguments there
  await SERVICES[service]();
} else await import("../../packages/cli/src/main.ts");

function isService(name: string): name is keyof typeof SERVICES {
  return Object.hasOwn(SERVICES, name);
}

/** The kernel drops a signal that process 1 does not handle, so one that comes while the service still loads would be lost, and the process killed at the end of its grace. Handled, it waits for the service, or ends the process here if it is the first to be told. */
function endUnlessStarted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(0);
}
