import { Command, InvalidArgumentError } from "commander";
import type { Parse } from "@postrider/runtime";
import { EXIT, reasonOf, type ExitCode } from "./cli-error.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** Carries a command's exit code to `main.ts`. */
export interface Run {
  exitCode: ExitCode;
}

/** A command's action, with everything that it receives. */
export type Action<Options> = (given: {
  readonly args: readonly string[];
  readonly options: Options;
  readonly terminal: Terminal;
}) => Promise<ExitCode | void>;

/** A command with the option `--json`. The result of its action becomes the exit code. */
export function command<Options>(
  run: Run,
  spec: string,
  description: string,
  action: Action<Options & { json?: boolean }>,
): Command {
  const [name, ...args] = spec.split(" ");
  const made = new Command(name);
  for (const argument of args) made.argument(argument);
  return made
    .description(description)
    .option("--json", "data as JSON on stdout, and no talk")
    .action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command; // commander passes the command as the last argument
      const options = self.optsWithGlobals<Options & { json?: boolean }>();
      run.exitCode =
        (await action({
          args: self.args,
          options,
          terminal: createTerminal(options.json === true),
        })) ?? EXIT.done;
    });
}

/** Makes an option parser for commander from a config parser of runtime: same ranges; the error names the option. */
export function option<T>(parse: Parse<T>): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(`It ${reasonOf(error)}.`);
    }
  };
}

/** For an option that may be repeated. */
export function repeated(
  text: string,
  before: readonly string[] = [],
): string[] {
  return [...before, text];
}
