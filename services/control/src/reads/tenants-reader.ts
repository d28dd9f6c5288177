/** The tenants' side of the reader: their user in ClickHouse, which shows one tenant's rows alone, and whether it does. */
import {
  TENANT_HEADER,
  type ClickHouseAccess,
  type Log,
} from "@postrider/runtime";
import { ControlProblem } from "../http/problem.ts";
import { ClickHouseError, connectionOf, textOf } from "./clickhouse-client.ts";
import { tenantsProblem } from "./reader-problems.ts";
import { readingOver, type Reading } from "./reading.ts";
import { createTenantCheck } from "./tenant-check.ts";

/** So many queries of one tenant run, and wait, at the same time. */
const OF_ONE_TENANT = { running: 2, waiting: 32 };
/** Every 24th look: two minutes. Until the self-test has passed, with every look; and so what is not proved yet. */
const CHECK_EVERY_LOOKS = 24;

export interface TenantsReader {
  /** Runs the self-test where it is its turn. Never rejects. */
  look(): Promise<void>;
  /** Throws a `ControlProblem` while tenants are not served. */
  readingOf(tenantId: string): Reading;
  close(): Promise<void>;
}

/** Its questions bring no settings: the user's profile has them all, and refuses every change. */
export function createTenantsReader(
  options: {
    readonly database: string;
    readonly queryTimeoutMs: number;
    readonly log: Log;
  },
  access: ClickHouseAccess,
): TenantsReader {
  const { log } = options;
  const connection = connectionOf(options, { access, ofOne: OF_ONE_TENANT });
  const check = createTenantCheck({
    ask: ({ sql, tenantId, settings }) =>
      textOf(connection.own, {
        query: sql,
        ...(settings && { clickhouse_settings: settings }),
        http_headers: tenantId === null ? {} : { [TENANT_HEADER]: tenantId },
      }),
    database: options.database,
    log: options.log,
  });
  let looks = 0;
  return {
    async look() {
      looks += 1;
      const isTurn = looks % CHECK_EVERY_LOOKS === 0;
      await check.look(check.whyNot() !== null || isTurn ? "all" : "unproven");
    },
    readingOf(tenantId) {
      // Why is for operators, in the log: it names tables and addresses.
      if (check.whyNot() !== null) throw notServed(NOT_PROVEN);
      return readingOver(connection, {
        forRows: {},
        forSelect: () => ({}),
        forQuery: {},
        forSaved: {},
        tenantId,
        failed(error, of) {
          const { code = null, type = null } =
            error instanceof ClickHouseError ? error : {};
          log.warn("tenant.queryFailed", { code, type });
          return tenantsProblem(error, of);
        },
      });
    },
    close: connection.close,
  };
}

/** As `createTenantsReader`, where there is no user for tenants: it says once why, and serves none. */
export function withoutTenants(log: Log): TenantsReader {
  let isTold = false;
  return {
    look: () => Promise.resolve(),
    readingOf() {
      if (!isTold) log.error("tenants.notServed", { why: NO_TENANTS_USER });
      isTold = true;
      throw notServed(NOT_SERVED);
    },
    close: () => Promise.resolve(),
  };
}

/** For the log; a tenant could do nothing with it. */
const NO_TENANTS_USER =
  "This control has no user in ClickHouse for tenants: set CLICKHOUSE_TENANT_USER and CLICKHOUSE_TENANT_PASSWORD. `npx postrider migrate --print-tenant-user` prints the statements that make it.";

const FOR_OPERATORS =
  "Operators find the reason in control's log (tenants.notServed) and what to do in docs/security.md, Tenants.";

const NOT_SERVED = `Tenants' questions are not answered here. ${FOR_OPERATORS}`;

const NOT_PROVEN = `Tenants are not served now: it is not proved that ClickHouse keeps them apart. Ask again later. ${FOR_OPERATORS}`;

function notServed(detail: string): ControlProblem {
  return new ControlProblem("tenants_not_served", detail, {
    headers: { "retry-after": "60" },
  });
}
