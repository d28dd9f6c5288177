import { InvalidArgumentError, type Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import { lossText, repairText, verdictTable } from "../doctor/roll-up-lines.ts";
import type { Terminal } from "../terminal.ts";

interface Options {
  readonly day?: string;
  readonly repair?: boolean;
  readonly force?: boolean;
}

export function rollUpsCommand(run: Run): Command {
  return command<Options>(
    run,
    "roll-ups",
    "whether endpoint_hour and tenant_minute count what attempts has, day by day; with --repair adds what is missing",
    async ({ options, terminal }) => await rollUps(options, terminal),
  )
    .option("--day <day>", "only this day (UTC), such as 2026-11-27", dayOption)
    .option("--repair", "add to the roll-ups what they lack; lowers nothing")
    .option(
      "--force",
      "with --repair and --day: also lower what counts more than attempts has",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 equal, or repaired · 1 a roll-up differs, or it failed · 3 something cannot be reached · 5 not repaired, and why",
    );
}

/** A day of the calendar. */
function dayOption(text: string): string {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? Date.parse(`${text}T00:00:00Z`)
    : NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError(
      "It must be a day, such as 2026-11-27 (UTC).",
    );
  return text;
}

async function rollUps(
  {
    day = null,
    repair = false,
    force = false,
  }: Omit<Options, "day"> & {
    readonly day?: string | null;
  },
  terminal: Terminal,
): Promise<ExitCode> {
  if (force && (!repair || day === null))
    throw new CliError(
      EXIT.usage,
      "--force is for --repair of one day, which --day names.",
      { next: "npx postrider doctor roll-ups" },
    );
  const { exitCodeOf, rollUpsReport } =
    await import("../doctor/roll-ups-report.ts"); // loaded here only: Kafka's client, which other commands do not need
  const options = { day, isToRepair: repair, isForced: force };
  const report = await rollUpsReport(findAddresses(), options, (verdicts) => {
    if (!terminal.json) terminal.line(verdictTable(verdicts, terminal));
    if (force)
      for (const one of verdicts) {
        const loss = lossText(one, one.verdict);
        if (loss !== null) terminal.say(loss);
      }
  });
  const exitCode = exitCodeOf(report, options);
  if (terminal.json)
    terminal.line(JSON.stringify({ ok: exitCode === EXIT.done, ...report }));
  else
    for (const one of report.repairs)
      terminal.line(`${one.day}  ${one.table}  ${repairText(one.repair)}`);
  const isShort = report.verdicts.some(
    ({ verdict }) => verdict.kind === "differs" && verdict.short.buckets > 0,
  );
  if (isShort && !repair)
    terminal.say(
      "next: npx postrider doctor roll-ups --repair   (adds what is missing, and lowers nothing)",
    );
  return exitCode;
}
