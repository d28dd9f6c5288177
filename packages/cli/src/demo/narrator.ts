import { CliError } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";

export interface StepLine {
  readonly step: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Reports the steps of the tour: as lines for people, or with `--json` as one JSON object per line. */
export interface Narrator {
  /**
   * Runs one step. While it runs, and when it fails, its title is `doing`; when it succeeds, its title is `claim`, followed by
   * the text that `run` resolved to. `progress` shows what the step waits for. Reports a failure, then rejects with it.
   */
  step(
    name: string,
    title: { readonly doing: string; readonly claim: string },
    run: (progress: (text: string) => void) => Promise<string>,
  ): Promise<void>;
  /** Stops all reports and the spinner. For an interruption: every failure after it is caused by it. */
  hush(): void;
  readonly isHushed: boolean;
  /** Prints a line of its own while a step runs. Prints nothing with `--json`. */
  say(text: string): void;
  readonly steps: readonly StepLine[];
}

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

export function createNarrator(terminal: Terminal): Narrator {
  const steps: StepLine[] = [];
  let isHushed = false;
  let endWaiting = (): void => undefined;

  const tell = (line: StepLine, title: string): void => {
    steps.push(line);
    if (terminal.json) return terminal.line(JSON.stringify(line));
    const mark = line.ok
      ? terminal.paint("green", "✓")
      : terminal.paint("red", "✗");
    terminal.line(`${mark} ${terminal.paint("bold", title)}`);
    for (const text of line.detail.split("\n")) terminal.line(`  ${text}`);
  };

  return {
    steps,
    get isHushed() {
      return isHushed;
    },
    hush() {
      isHushed = true;
      endWaiting();
    },
    say(text) {
      if (!terminal.json && !isHushed) terminal.line(`  ${text}`);
    },
    async step(name, title, run) {
      const { doing, claim } = title;
      const waiting = showWaiting(terminal, doing);
      endWaiting = waiting.end;
      try {
        const detail = await run((text) => {
          if (!isHushed) waiting.say(text);
        });
        waiting.end();
        if (!isHushed) tell({ step: name, ok: true, detail }, claim);
      } catch (error) {
        waiting.end();
        if (!isHushed)
          tell({ step: name, ok: false, detail: inWords(error) }, doing);
        throw error;
      }
    },
  };
}

/** On a terminal, a line with a spinner; elsewhere a new line each time the text changes. */
function showWaiting(
  terminal: Terminal,
  title: string,
): { say(text: string): void; end(): void } {
  let text = title;
  let turn = 0;
  const draw = (): void => {
    turn = (turn + 1) % FRAMES.length;
    terminal.progress(`${FRAMES.charAt(turn)} ${text}`);
  };
  const timer = process.stderr.isTTY ? setInterval(draw, 100) : undefined;
  return {
    say(next) {
      text = `${title}: ${next}`;
      if (timer === undefined) terminal.progress(text);
    },
    end: () => clearInterval(timer),
  };
}

/** The error's message, followed by its cause where there is one. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const why = error instanceof CliError ? error.why : error.cause;
  return why instanceof Error || typeof why === "string"
    ? `${error.message}\n${inWords(why)}`
    : error.message;
}
