/** The user as whom tenants' questions are asked, on a ClickHouse that we start ourselves. On others an administrator makes it (`postrider migrate --print-tenant-user`). */
import { randomBytes } from "node:crypto";
import type { ClickHouseUser } from "@postrider/local-stack";
import { tenantUserEntry } from "@postrider/runtime";

const NAME = "postrider_tenant";

export interface TenantUser {
  /** For ClickHouse, which reads it at its start. */
  readonly users: Readonly<Record<string, ClickHouseUser>>;
  /** For control. The other services pass over it. */
  readonly env: Readonly<Record<string, string>>;
}

/** With a new password, which nobody needs to know. */
export function newTenantUser(database: string): TenantUser {
  const password = randomBytes(18).toString("base64url");
  return {
    users: { [NAME]: tenantUserEntry(database, password) },
    env: {
      CLICKHOUSE_TENANT_USER: NAME,
      CLICKHOUSE_TENANT_PASSWORD: password,
    },
  };
}
