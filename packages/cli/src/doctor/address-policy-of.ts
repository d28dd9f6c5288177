import { parseCidrs, type UrlPolicy } from "@postrider/core";
import { boolean } from "@postrider/runtime";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import {
  deadHolder,
  findDevFolder,
  readServiceEnvironment,
} from "../dev-folder.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The variables that decide where deliveries may go, as `UrlPolicy` needs them. */
export const POLICY_VARIABLES = [
  "POSTRIDER_ALLOW_HTTP",
  "POSTRIDER_ALLOW_CIDRS",
  "POSTRIDER_DENY_CIDRS",
] as const;
export type PolicyVariable = (typeof POLICY_VARIABLES)[number];

/** One setting as it is in force here. `value` is null where the default holds. */
export interface PolicySetting {
  readonly variable: PolicyVariable;
  readonly value: string | null;
  readonly from: "environment" | "dev" | "default";
  /** What this shell sets where the running `dev` has something else: the value does not count. */
  readonly shell: string | null;
}

export interface FoundPolicy {
  readonly policy: UrlPolicy;
  readonly settings: readonly PolicySetting[];
}

/** Takes all settings from the nearest running `dev`, because its dispatcher decides; without one from the environment. What is not set has its default. Throws `CliError` for a value that a service would refuse, too. */
export function findAddressPolicy(
  env: Env = process.env,
  cwd: string = process.cwd(),
): FoundPolicy {
  const folder = findDevFolder(cwd);
  const dev: Env | null =
    folder === null || deadHolder(folder) !== null
      ? null
      : readServiceEnvironment(folder);
  const settings = POLICY_VARIABLES.map((variable) =>
    settingOf(variable, env, dev),
  );
  const read = <T>(
    at: PolicyVariable,
    parse: (text: string) => T,
    other: T,
  ): T =>
    parsed(
      settings.find(({ variable }) => variable === at),
      parse,
    ) ?? other;
  return {
    policy: {
      allowHttp: read("POSTRIDER_ALLOW_HTTP", boolean, false),
      allowedCidrs: read("POSTRIDER_ALLOW_CIDRS", parseCidrs, []),
      deniedCidrs: read("POSTRIDER_DENY_CIDRS", parseCidrs, []),
    },
    settings,
  };
}

function settingOf(
  variable: PolicyVariable,
  env: Env,
  dev: Env | null,
): PolicySetting {
  // An empty variable counts as not set, as in the services.
  const inShell = env[variable] || null;
  const value = (dev === null ? inShell : dev[variable]) || null;
  const source = dev === null ? "environment" : "dev";
  return {
    variable,
    value,
    from: value === null ? "default" : source,
    shell: dev !== null && inShell !== value ? inShell : null,
  };
}

function parsed<T>(
  setting: PolicySetting | undefined,
  parse: (text: string) => T,
): T | null {
  if (setting === undefined || setting.value === null) return null;
  try {
    return parse(setting.value);
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      `${setting.variable} cannot be read, and no service would start with it.`,
      { why: `${reasonOf(error)}; got ${JSON.stringify(setting.value)}` },
    );
  }
}
