import { readFileSync } from "node:fs";
import { inspect } from "node:util";

/** Reads a variable's text; throws an Error whose message completes "VARIABLE …". `expects` is its range, for messages and the reference. */
export interface Parse<T> {
  (text: string): T;
  readonly expects?: string;
}

/** One setting: one variable, one place. */
export interface ConfigEntry<T = unknown> {
  /** The variable. A secret may also come from the file that `<env>_FILE` names. */
  readonly env: string;
  readonly parse: Parse<T>;
  /** Written as in the environment. `null`: may be left out, and the value is then null. Absent: required. */
  readonly default?: string | null;
  /** Prints as `[redacted]`, here and wherever the config object is printed. */
  readonly secret?: boolean;
  /** One sentence for the reference page. */
  readonly doc: string;
}

export type ConfigSpec = Readonly<Record<string, ConfigEntry>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** What `readConfig` makes of a spec. */
export type ConfigOf<S extends ConfigSpec> = {
  readonly [K in keyof S]:
    | (S[K] extends ConfigEntry<infer T> ? T : never)
    | (S[K] extends { readonly default: null } ? null : never);
};

/** One thing that is wrong; `got` is null when the variable is not set. */
export interface ConfigProblem {
  readonly variable: string;
  readonly got: string | null;
  readonly message: string;
}

/** Every problem of a configuration at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((p) => p.message).join("\n"));
    this.problems = problems;
  }
}

/** Reads the environment by the spec: a frozen, typed object, or a `ConfigError` with every problem. An empty variable counts as not set. */
export function readConfig<const S extends ConfigSpec>(
  env: Env,
  spec: S,
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): ConfigOf<S> {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(spec)) {
    const result = readEntry(env, entry, readFile);
    if ("problem" in result) problems.push(result.problem);
    else values[name] = result.value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  hideSecrets(values, spec);
  return Object.freeze(values) as ConfigOf<S>; // each key of S was read by its own parse
}

type Read = { value: unknown } | { problem: ConfigProblem };

function readEntry(
  env: Env,
  entry: ConfigEntry,
  readFile: (path: string) => string,
): Read {
  const found = textOf(env, entry, readFile);
  if ("problem" in found) return found;
  const text = found.value ?? entry.default;
  if (text === undefined) {
    const expects = entry.parse.expects;
    return problem(
      entry,
      null,
      `is not set${expects === undefined ? "" : `: expected ${expects}`}`,
    );
  }
  if (text === null) return { value: null };
  try {
    return { value: entry.parse(text) };
  } catch (error) {
    const got = entry.secret === true ? "[redacted]" : text;
    const why = error instanceof Error ? error.message : String(error);
    return problem(entry, got, `${why}; got ${JSON.stringify(got)}`);
  }
}

function textOf(
  env: Env,
  entry: ConfigEntry,
  readFile: (path: string) => string,
): { value: string | null } | { problem: ConfigProblem } {
  const text = env[entry.env] ?? "";
  const path = entry.secret === true ? (env[`${entry.env}_FILE`] ?? "") : "";
  if (text !== "" || path === "") return { value: text === "" ? null : text };
  try {
    return { value: readFile(path).trim() };
  } catch (error) {
    const variable = `${entry.env}_FILE`;
    const message = `${variable} names a file that cannot be read: ${String(error)}`;
    return { problem: { variable, got: path, message } };
  }
}

function problem(entry: ConfigEntry, got: string | null, why: string): Read {
  return {
    problem: { variable: entry.env, got, message: `${entry.env} ${why}` },
  };
}

/** JSON.stringify, console.log and the log then show `[redacted]` in place of secrets. Not carried over by a spread: pass the object on whole. */
function hideSecrets(values: Record<string, unknown>, spec: ConfigSpec): void {
  const shown = (): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        spec[name]?.secret === true && value !== null ? "[redacted]" : value,
      ]),
    );
  Object.defineProperty(values, "toJSON", { value: shown });
  Object.defineProperty(values, inspect.custom, { value: shown });
}
