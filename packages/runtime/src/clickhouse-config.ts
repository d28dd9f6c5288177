/** How ClickHouse is reached: its address, who we are there and whom we trust. Every service and every command reads the same variables. */
import type { Agent } from "node:https";
import { text, url } from "./config-parsers.ts";
import {
  hasUser,
  isSet,
  onlyWithHttps,
  pem,
  together,
  unusable,
  type Values,
} from "./config-rules.ts";
import type { ConfigEntry, ConfigOf } from "./config.ts";
import type { Log, Meter } from "./effects.ts";
import { lastGood } from "./last-good.ts";
import { liveTlsAgents } from "./live-tls-agents.ts";

const URL_VARIABLE = { name: "clickhouseUrl", variable: "CLICKHOUSE_URL" };

export const clickhouseConfig = {
  clickhouseUrl: {
    env: "CLICKHOUSE_URL",
    parse: url,
    doc: "ClickHouse's HTTP address; may carry user and password, if CLICKHOUSE_USER is not set.",
    secret: true,
  },
  clickhouseUser: {
    env: "CLICKHOUSE_USER",
    parse: text,
    default: null,
    check: (values) =>
      isSet(values, "clickhouseUser") && hasUser(values["clickhouseUrl"])
        ? "is set, and CLICKHOUSE_URL carries a user, too: take it out of CLICKHOUSE_URL"
        : null,
    doc: "The user in ClickHouse; none: that of the URL, else `default`.",
  },
  clickhousePassword: {
    env: "CLICKHOUSE_PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      together(
        values,
        "clickhousePassword",
        "clickhouseUser",
        "CLICKHOUSE_USER",
      ),
    doc: "The user's password. A changed file is used for the next request.",
  },
  clickhouseTlsCa: {
    env: "CLICKHOUSE_TLS_CA",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithHttps(values, "clickhouseTlsCa", URL_VARIABLE) ??
      unusableCa(values),
    doc: "The authorities that ClickHouse's certificate must come from; without it, those that Node trusts. Read again when the file changes.",
  },
  clickhouseDatabase: {
    env: "POSTRIDER_CLICKHOUSE_DATABASE",
    parse: text,
    default: "postrider",
    doc: "The database with Postrider's tables.",
  },
} as const satisfies Record<string, ConfigEntry>;

export type ClickHouseConfig = ConfigOf<typeof clickhouseConfig>;

/** Control's alone: as whom it asks for a tenant. Address and authorities are those of `clickhouseConfig`. */
export const clickhouseTenantConfig = {
  clickhouseTenantUser: {
    env: "CLICKHOUSE_TENANT_USER",
    parse: text,
    default: null,
    doc: "The user in ClickHouse as whom a tenant's questions are asked (docs/security.md, Tenants). Without it tenants are served no question, and operators are.",
  },
  clickhouseTenantPassword: {
    env: "CLICKHOUSE_TENANT_PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      together(
        values,
        "clickhouseTenantPassword",
        "clickhouseTenantUser",
        "CLICKHOUSE_TENANT_USER",
      ),
    doc: "That user's password. A changed file is used for the next request.",
  },
} as const satisfies Record<string, ConfigEntry>;

export type ClickHouseTenantConfig = ConfigOf<typeof clickhouseTenantConfig>;

/** What a client of ClickHouse is made with. */
export interface ClickHouseAccess {
  /** Without `auth` it may carry user and password. */
  readonly url: string;
  /** The user and the password as they are now, for one request. */
  readonly auth?: () => {
    readonly username: string;
    readonly password: string;
  };
  /** For each client one of its own, which closes with it. */
  readonly agent?: (maxSockets: number) => Agent;
}

/** With a meter the ends of certificates are measured. */
export function clickhouseAccess(
  config: Omit<ClickHouseConfig, "clickhouseDatabase">,
  log: Pick<Log, "warn">,
  meter?: Meter,
): ClickHouseAccess {
  const { clickhouseUrl, clickhouseUser: username } = config;
  const { clickhousePassword, clickhouseTlsCa } = config;
  const event = "clickhouse.secretNotReadAgain";
  const password = lastGood(() => clickhousePassword?.() ?? "", {
    event,
    variable: "CLICKHOUSE_PASSWORD_FILE",
    log,
  });
  const agents =
    clickhouseTlsCa &&
    liveTlsAgents("clickhouse", () => ({ ca: clickhouseTlsCa() }), {
      event,
      variable: "CLICKHOUSE_TLS_CA_FILE",
      log,
      meter,
    });
  return {
    url: clickhouseUrl,
    ...(username !== null && {
      auth: () => ({ username, password: password() }),
    }),
    ...(agents !== null && {
      agent: (maxSockets) => agents({ keepAlive: true, maxSockets }),
    }),
  };
}

/** Null where there is no user for tenants. */
export function clickhouseTenantAccess(
  config: Omit<ClickHouseConfig, "clickhouseDatabase"> & ClickHouseTenantConfig,
  log: Pick<Log, "warn">,
): ClickHouseAccess | null {
  const { clickhouseTenantUser, clickhouseTenantPassword } = config;
  if (clickhouseTenantUser === null) return null;
  const url = new URL(config.clickhouseUrl);
  url.username = "";
  url.password = "";
  const access = clickhouseAccess(
    {
      ...config,
      clickhouseUrl: url.href,
      clickhouseUser: clickhouseTenantUser,
      clickhousePassword: null,
    },
    log,
  );
  const password = lastGood(() => clickhouseTenantPassword?.() ?? "", {
    event: "clickhouse.secretNotReadAgain",
    variable: "CLICKHOUSE_TENANT_PASSWORD_FILE",
    log,
  });
  return {
    ...access,
    auth: () => ({ username: clickhouseTenantUser, password: password() }),
  };
}

function unusableCa(values: Values): string | null {
  // It was read by its own entry above.
  const { clickhouseTlsCa } = values as Partial<ClickHouseConfig>;
  return clickhouseTlsCa
    ? unusable({ ca: clickhouseTlsCa() }, "as an authority")
    : null;
}
