/** Takes the place of packages/local-stack/src/registry-alone.ts, which is for tests: the bundle brings no servers. */
import type { RegistryAlone } from "../../packages/local-stack/src/registry-alone.ts";
import { StackError } from "../../packages/local-stack/src/stack-error.ts";

export function startRegistryAlone(): Promise<RegistryAlone> {
  return Promise.reject(
    new StackError("CONFIG", "The bundle brings no schema registry."),
  );
}
