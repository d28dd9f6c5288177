import { CommanderError, InvalidArgumentError, type Command } from "commander";
import { CliError, EXIT, reasonOf, type ExitCode } from "./cli-error.ts";
import type { Run } from "./command.ts";
import { listenForInterrupts } from "./interrupted.ts";
import { notWritten } from "./output.ts";
import { createProgram } from "./program.ts";
import { visible } from "./terminal.ts";

listenForInterrupts((code) => process.exit(code));
// `postrider query … | head` closes our output early: exit quietly. Any other error of writing the output is reported.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.brokenPipe);
  tell(notWritten(error));
  process.exit(EXIT.failed);
});
process.stderr.on("error", () => undefined); // stderr is closed: nothing can be reported

const run: Run = { exitCode: EXIT.done };
const exitCode = await perform(createProgram(run));
// Pipes are written asynchronously; exiting before they are drained would cut the data.
process.stdout.write("", (error) => {
  if (error == null) process.exit(exitCode); // a write error is reported above
});

async function perform(program: Command): Promise<ExitCode> {
  try {
    await program.parseAsync();
    return run.exitCode;
  } catch (error) {
    // Commander prints this one only if an option's parser throws it; then another error arrives here.
    if (error instanceof InvalidArgumentError) {
      tell(new CliError(EXIT.usage, error.message));
      return EXIT.usage;
    }
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? EXIT.done : EXIT.usage; // commander has printed what is wrong
    tell(error);
    return error instanceof CliError ? error.exitCode : EXIT.failed;
  }
}

function tell(error: unknown): void {
  const cli = error instanceof CliError ? error : null;
  const what = error instanceof Error ? error.message : String(error);
  const why = cli === null ? reasonOf(error) : cli.why;
  const next = cli?.next ?? null;
  if (process.argv.includes("--json")) {
    const code = cli?.exitCode ?? EXIT.failed;
    process.stderr.write(
      `${JSON.stringify({ error: what, why, next, exitCode: code, ...cli?.facts })}\n`,
    );
    return;
  }
  say("error: ", what);
  if (why !== null && why !== what) say("  why:  ", why);
  if (next !== null) say("  next: ", next);
  if (cli === null && process.env["POSTRIDER_DEBUG"] && error instanceof Error)
    say("", error.stack ?? "");
}

/** Writes a text line by line. A server's words may be in it: they must not control the terminal. */
function say(label: string, text: string): void {
  const lines = text.split("\n").map(visible);
  const indent = " ".repeat(label.length);
  process.stderr.write(`${label}${lines.join(`\n${indent}`)}\n`);
}
