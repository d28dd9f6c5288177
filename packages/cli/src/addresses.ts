import { readFileSync } from "node:fs";
import {
  brokers,
  ConfigError,
  fileProblem,
  readConfig,
  registryConfig,
  type RegistryAddress,
} from "@postrider/runtime";
import { CliError, EXIT, reasonOf } from "./cli-error.ts";
import { findDevFolder, readDevFile, type DevFile } from "./dev-folder.ts";

/** What `next:` says where no address is known, or nobody answers there: not everybody's stack is one of `dev`. */
export const OWN_STACK =
  "or set POSTRIDER_CONTROL_URL, POSTRIDER_INGEST_URL and POSTRIDER_ADMIN_KEY (docs/operations.md, The command)";

/** The addresses of a stack's parts. Each is a function, so that a command needs only the addresses that it uses. */
export interface Addresses {
  kafka(): {
    readonly brokers: readonly string[];
    readonly prefix: string;
  };
  /** The environment's registry with its user and TLS, else that of `dev`. */
  registry(): RegistryAddress;
  clickhouse(): { readonly url: string; readonly database: string };
  control(): { readonly url: string; readonly adminKey: string };
  ingest(): { readonly url: string; readonly adminKey: string };
  /** The running `dev`; null when the addresses come from the environment alone. */
  dev(): { readonly folder: string; readonly file: DevFile } | null;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Takes addresses from the environment first, then from the nearest `.postrider/dev.json`. With neither: exit code 3, and the command that starts a stack. */
export function findAddresses(
  env: Env = process.env,
  cwd: string = process.cwd(),
): Addresses {
  const folder = findDevFolder(cwd);
  const file = folder === null ? null : readDevFile(folder);
  const pick = (variable: string, fromFile: string | undefined): string => {
    const value = textOf(env, variable) || fromFile;
    if (value !== undefined) return value;
    throw new CliError(EXIT.unreachable, "No running stack was found.", {
      why: `${variable} is not set, and there is no .postrider/dev.json here or above.`,
      next: `Start one with: npx postrider dev   (${variable.startsWith("POSTRIDER_") ? OWN_STACK : `or set ${variable}`})`,
    });
  };
  const adminKey = (): string => pick("POSTRIDER_ADMIN_KEY", file?.adminKey);
  return {
    kafka: () => ({
      brokers: brokersOf(pick("KAFKA_BROKERS", file?.kafka.brokers.join(","))),
      prefix:
        env["POSTRIDER_TOPIC_PREFIX"] || file?.topicPrefix || "postrider.",
    }),
    registry: () =>
      env["SCHEMA_REGISTRY_URL"]
        ? registryOf(env)
        : { schemaRegistryUrl: file?.schemaRegistry?.url ?? null },
    clickhouse: () => ({
      url: pick("CLICKHOUSE_URL", file?.clickhouse.url),
      database:
        env["POSTRIDER_CLICKHOUSE_DATABASE"] ||
        file?.clickhouse.database ||
        "postrider",
    }),
    control: () => ({
      url: pick("POSTRIDER_CONTROL_URL", file?.control.url),
      adminKey: adminKey(),
    }),
    ingest: () => ({
      url: pick("POSTRIDER_INGEST_URL", file?.ingest.url),
      adminKey: adminKey(),
    }),
    dev: () => (folder === null || file === null ? null : { folder, file }),
  };
}

/** As the services read a secret: from the variable, else from the file that `VARIABLE_FILE` names. */
function textOf(env: Env, variable: string): string | undefined {
  const path = env[`${variable}_FILE`];
  if (env[variable] || !path) return env[variable];
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      fileProblem(`${variable}_FILE`, path, error),
    );
  }
}

function registryOf(env: Env): RegistryAddress {
  try {
    return readConfig(env, registryConfig);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(
      EXIT.usage,
      "The settings for the schema registry are wrong.",
      { why: error.message, next: "See docs/security.md" },
    );
  }
}

/** Throws a `CliError` that says what is expected. */
export function brokersOf(text: string): readonly string[] {
  try {
    return brokers(text);
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      `KAFKA_BROKERS ${reasonOf(error)}; got ${JSON.stringify(text)}.`,
      { next: "export KAFKA_BROKERS=127.0.0.1:9092" },
    );
  }
}
