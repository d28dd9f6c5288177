/** Whose rows a request may see, by its key. */
import type { Caller } from "@postrider/http";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";

/** Throws a `ControlProblem` for a tenant's key while tenants are not served. */
export function readingOf(
  reader: Reader,
  { tenantId }: Pick<Caller, "tenantId">,
): Reading {
  return tenantId === null ? reader : reader.ofTenant(tenantId);
}
