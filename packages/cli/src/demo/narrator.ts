import { CliError } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";

export interface StepLine {
  readonly step: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Tells the steps of a tour: lines for people, one JSON object a line for programs. */
export interface Narrator {
  /** Runs one step and tells what it returned, under what it `claims`; while it runs, and where it fails, it goes by what is being done. `progress` says what it waits for. Rejects with what `run` rejected with, after telling it. */
  step(
    name: string,
    title: { readonly doing: string; readonly claim: string },
    run: (progress: (text: string) => void) => Promise<string>,
  ): Promise<void>;
  /** Nothing more is told, and what turns stops: whatever fails from now on fails because it was interrupted. */
  hush(): void;
  readonly isHushed: boolean;
  /** A line of its own while a step runs. Silent with JSON. */
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

/** On a terminal a line that turns; elsewhere a line each time the text changes. */
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

/** What happened, and why as far as it is known. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const why = error instanceof CliError ? error.why : error.cause;
  return why instanceof Error || typeof why === "string"
    ? `${error.message}\n${inWords(why)}`
    : error.message;
}
