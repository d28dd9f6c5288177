/**
 * What control asks ClickHouse. It asks as two users: control's own for operators, and the tenants' user, whom ClickHouse shows one
 * tenant's rows alone.
 */
import {
  createGrantsCheck,
  type ClickHouseAccess,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import {
  connectionOf,
  EVENT_TIMEOUT_MS,
  QUERIES,
  rowsNow,
  textOf,
  WAITING,
  type Client,
} from "./clickhouse-client.ts";
import { operatorsProblem, wordsOf } from "./reader-problems.ts";
import {
  JSON_OUTPUT,
  operatorSettings,
  SAVED_SETTINGS,
  selectSettings,
} from "./reader-settings.ts";
import { readingOver, type Reading } from "./reading.ts";
import { createTenantsReader, withoutTenants } from "./tenants-reader.ts";

/** As an operator, and as a tenant. */
export interface Reader extends Reading, Lifecycle {
  /** The same as the tenants' user of ClickHouse, which sees this tenant's rows alone. Throws a `ControlProblem` while tenants are not served; why is in the log. */
  ofTenant(tenantId: string): Reading;
  /** The result of the last check of ClickHouse; there is one every five seconds. */
  reachability(): { readonly isReachable: boolean; readonly detail: string };
}

export interface ReaderOptions extends ClickHouseAccess {
  readonly database: string;
  readonly queryTimeoutMs: number;
  /** The tenants' user; without it no tenant is served. */
  readonly tenants?: ClickHouseAccess | null;
  readonly log: Log;
}

const LOOK_EVERY_MS = 5_000;

export function createReader(options: ReaderOptions): Reader {
  const operators = connectionOf(options, {
    access: options,
    ofOne: { running: QUERIES, waiting: WAITING },
  });
  const tenants = options.tenants
    ? createTenantsReader(options, options.tenants)
    : withoutTenants(options.log);
  const { own } = operators;
  let seen = { isReachable: false, detail: "not looked at yet" };
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;

  const grants = createGrantsCheck({
    ask: (query) => textOf(own, { query }),
    holder: "control",
    database: options.database,
    log: options.log,
  });

  async function look(): Promise<void> {
    const now = await reachabilityOf(own);
    if (now.isReachable !== seen.isReachable)
      options.log.info("clickhouse.reachability", now);
    seen = now;
    if (now.isReachable) await grants.look();
  }

  /** Each check starts only after the one before has ended: against a server that hangs, they would pile up. */
  function repeat(check: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void check().finally(() => {
        if (!isStopped) repeat(check);
      });
    }, LOOK_EVERY_MS).unref();
    timers.add(timer);
  }

  return {
    ...readingOver(operators, {
      forRows: {
        readonly: "2",
        max_execution_time: EVENT_TIMEOUT_MS / 1000,
        cancel_http_readonly_queries_on_client_close: 1,
        ...SAVED_SETTINGS,
        ...JSON_OUTPUT,
      },
      forSelect: (isOperators) =>
        selectSettings(isOperators ? options.queryTimeoutMs : EVENT_TIMEOUT_MS),
      forQuery: operatorSettings(options.queryTimeoutMs),
      forSaved: SAVED_SETTINGS,
      tenantId: null,
      failed: operatorsProblem,
    }),
    ofTenant: tenants.readingOf,
    reachability() {
      const lack = seen.isReachable ? grants.lack() : null;
      return lack === null ? seen : { ...seen, detail: `degraded: ${lack}` };
    },
    async start() {
      // Apart: the self-test of tenants is some forty queries, and readiness must not wait for them.
      await Promise.all([look(), tenants.look()]);
      repeat(look);
      if (options.tenants) repeat(tenants.look);
    },
    async stop() {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([operators.close(), tenants.close()]);
    },
  };
}

/** Never rejects. Not by the client's own ping, which would send the password of the start. */
async function reachabilityOf(
  client: Client,
): Promise<ReturnType<Reader["reachability"]>> {
  try {
    await rowsNow(client, "SELECT 1", {
      clickhouse_settings: { readonly: "2" },
    });
    return { isReachable: true, detail: "reachable" };
  } catch (error) {
    return { isReachable: false, detail: wordsOf(error) };
  }
}
