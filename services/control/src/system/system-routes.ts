import type { Routes } from "@postrider/http";
import { VERSION, type Setting } from "@postrider/runtime";
import { SYSTEM_OPERATIONS, type SystemView } from "./system-operations.ts";

/** `GET /v1/system` and `GET /v1/config`, for operators: both are about every tenant at once. */
export function systemRoutes(of: {
  readonly system: () => Promise<SystemView>;
  readonly settings: readonly Setting[];
}): Routes {
  return (app) => {
    app.get("/v1/system", SYSTEM_OPERATIONS.system, of.system);
    app.get("/v1/config", SYSTEM_OPERATIONS.config, async () => ({
      service: "control",
      version: VERSION,
      settings: of.settings.map(({ variable, value, from, isSecret, doc }) => ({
        variable,
        value,
        from,
        isSecret,
        description: doc,
      })),
    }));
  };
}
