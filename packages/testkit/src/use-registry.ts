import { startRegistryAlone, type RegistryAlone } from "@postrider/local-stack";
import { afterAllOthers, jestHooks } from "./jest-hooks.ts";

/** A real schema registry for a test file. */
export interface TestRegistry {
  /** A stack that is given from outside may have no registry; then there is nothing to test. */
  readonly isThere: boolean;
  /** Its Confluent-compatible API; from the first test on. */
  readonly url: string;
}

/** Gives a test file a registry of its own, and ends it. Call it at the top of the file. */
export function useRegistry(): TestRegistry {
  const { beforeAll } = jestHooks("useRegistry");
  const isGiven = process.env["POSTRIDER_STACK"] === "external";
  const isThere = !isGiven || Boolean(process.env["SCHEMA_REGISTRY_URL"]);
  let registry: RegistryAlone | undefined;

  beforeAll(async () => {
    if (isThere) registry = await startRegistryAlone();
  }, 300_000);
  afterAllOthers("useRegistry", async () => await registry?.stop());

  return {
    isThere,
    get url() {
      return registry?.url ?? "";
    },
  };
}
