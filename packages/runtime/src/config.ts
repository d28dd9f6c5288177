import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { REDACTED, settingOf, type Setting } from "./config-settings.ts";

/** Parses the text of a variable. Throws an Error whose message completes "VARIABLE …". `expects` is the allowed range, for messages and the reference page. */
export interface Parse<T> {
  (text: string): T;
  readonly expects?: string;
  /** The range as a JSON schema, for values of YAML such as the Helm chart's: numbers and booleans are not texts there. Absent: a text. */
  readonly schema?: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One setting, read from one environment variable. */
export interface ConfigEntry<T = unknown> {
  /** The variable's name. A secret may also be read from the file whose path is in `<env>_FILE`. */
  readonly env: string;
  readonly parse: Parse<T>;
  /** The default, written as it would be in the environment. `null`: the variable is optional, and the value is `null` without it. Absent: the variable is required. */
  readonly default?: string | null;
  /** A secret prints as `[redacted]`, in problems and wherever the config object is printed. */
  readonly secret?: boolean;
  /** The value is a function that reads the file again at each call, so that a changed password needs no restart. It throws if the file has become unreadable or invalid. */
  readonly live?: true;
  /** The variable has the path of a file, whose text is parsed. */
  readonly file?: true;
  /** A rule about this and other values, by the spec's names, those that could not be read being absent. Returns what completes "VARIABLE …", or null. */
  readonly check?: (values: Readonly<Record<string, unknown>>) => string | null;
  /** One sentence for the reference page. */
  readonly doc: string;
}

export type ConfigSpec = Readonly<Record<string, ConfigEntry>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** The type of the object that `readConfig` returns for a spec. */
export type ConfigOf<S extends ConfigSpec> = {
  readonly [K in keyof S]:
    | (S[K] extends ConfigEntry<infer T>
        ? S[K] extends { readonly live: true }
          ? () => T
          : T
        : never)
    | (S[K] extends { readonly default: null } ? null : never);
};

/** One problem of the configuration; `got` is null when the variable is not set. */
export interface ConfigProblem {
  readonly variable: string;
  readonly got: string | null;
  readonly message: string;
}

/** Thrown by a `Parse` whose value is a whole file: everything that is wrong in it. Each text completes "VARIABLE …" and says itself what it got. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
  readonly code = "CONFIG_FILE_INVALID";
  readonly problems: readonly {
    readonly got: string | null;
    readonly text: string;
  }[];
  constructor(problems: ConfigFileError["problems"]) {
    super(problems.map(({ text }) => text).join("\n"));
    this.problems = problems;
  }
}

/** All problems of a configuration, reported at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((p) => p.message).join("\n"));
    this.problems = problems;
  }
}

/** Reads the environment by the spec. Returns a frozen, typed object; throws a `ConfigError` with every problem. An empty variable counts as not set. */
export function readConfig<const S extends ConfigSpec>(
  env: Env,
  spec: S,
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): ConfigOf<S> {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(spec)) {
    const result = readEntry(env, entry, readFile);
    if ("problems" in result) problems.push(...result.problems);
    else values[name] = result.value;
  }
  for (const [name, entry] of Object.entries(spec)) {
    const why = name in values ? (entry.check?.(values) ?? null) : null;
    if (why !== null) problems.push(problemOf(entry, null, why));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  hideSecrets(values, spec);
  settings.set(
    values,
    Object.values(spec).map((entry) => settingOf(entry, env)),
  );
  return Object.freeze(values) as ConfigOf<S>; // each key of S was read by its own parse
}

/** By the object that `readConfig` has returned. */
const settings = new WeakMap<object, readonly Setting[]>();

/** What the configuration was read from, in the order of its spec, without secrets. Throws for a copy of what `readConfig` returned. */
export function settingsOf(config: object): readonly Setting[] {
  const found = settings.get(config);
  if (found === undefined)
    throw new Error("no settings are known of a copy of a configuration");
  return found;
}

type Read = { value: unknown } | { problems: readonly ConfigProblem[] };

function readEntry(
  env: Env,
  entry: ConfigEntry,
  readFile: (path: string) => string,
): Read {
  const found = textOf(env, entry, readFile);
  if ("problem" in found) return { problems: [found.problem] };
  const text = found.value ?? entry.default;
  if (text === undefined) {
    const expects = entry.parse.expects;
    const why = `is not set${expects === undefined ? "" : `: expected ${expects}`}`;
    return { problems: [problemOf(entry, null, why)] };
  }
  if (text === null) return { value: null };
  try {
    const value = entry.parse(text);
    const { path } = found;
    if (entry.live !== true) return { value };
    const again = (): unknown => entry.parse(readFile(path!).trim());
    return { value: path === null ? () => value : again };
  } catch (error) {
    if (error instanceof ConfigFileError)
      return {
        problems: error.problems.map((each) =>
          problemOf(entry, each.got, each.text),
        ),
      };
    const got = entry.secret === true ? REDACTED : text;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${why}; got ${JSON.stringify(got)}`;
    return { problems: [problemOf(entry, got, message)] };
  }
}

function textOf(
  env: Env,
  entry: ConfigEntry,
  readFile: (path: string) => string,
): { value: string | null; path: string | null } | { problem: ConfigProblem } {
  const text = env[entry.env] ?? "";
  const isFile = entry.file === true;
  const variable = isFile ? entry.env : `${entry.env}_FILE`;
  const path = isFile || entry.secret === true ? (env[variable] ?? "") : "";
  if ((text !== "" && !isFile) || path === "")
    return { value: text === "" ? null : text, path: null };
  try {
    return { value: readFile(path).trim(), path };
  } catch (error) {
    const message = fileProblem(variable, path, error);
    return { problem: { variable, got: path, message } };
  }
}

const WHY_NOT_READ: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file. Correct the path, or put the file there",
  ENOTDIR: "there is no such file. Correct the path, or put the file there",
  EISDIR: "it is a folder. Name the file in it",
};

/** What is wrong with `VARIABLE_FILE`, and what to do. */
export function fileProblem(
  variable: string,
  path: string,
  error: unknown,
): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const why =
    code === "EACCES"
      ? `this process (uid ${process.getuid?.() ?? "unknown"}) may not read it. Change its owner or its mode`
      : (WHY_NOT_READ[code] ?? message);
  return `${variable} names ${path}, which cannot be read: ${why}`;
}

function problemOf(
  entry: ConfigEntry,
  got: string | null,
  why: string,
): ConfigProblem {
  return { variable: entry.env, got, message: `${entry.env} ${why}` };
}

/** Makes JSON.stringify, console.log and the log print `[redacted]` for secrets. A spread copy (`{...config}`) loses this: pass the object itself. */
function hideSecrets(values: Record<string, unknown>, spec: ConfigSpec): void {
  const shown = (): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        spec[name]?.secret === true && value !== null ? REDACTED : value,
      ]),
    );
  Object.defineProperty(values, "toJSON", { value: shown });
  Object.defineProperty(values, inspect.custom, { value: shown });
}
