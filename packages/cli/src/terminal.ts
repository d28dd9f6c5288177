/** The command's output: data goes to stdout, messages to stderr. Colours are used only where the stream is a terminal that wants them (NO_COLOR). */
import { stripVTControlCharacters, styleText } from "node:util";
import { writeOutput } from "./output.ts";

type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  readonly json: boolean;
  /** A line of data on stdout. */
  line(text: string): void;
  /** Prints data on stdout: with `--json` the value as one line of JSON, else the text that `render` returns. */
  data(value: unknown, render: () => string): void;
  /** Prints a message on stderr; nothing with `--json`. */
  say(text: string): void;
  /** Prints a message that the next one replaces, on a terminal, behind a bar where the end is known; elsewhere a new line each time the text changes. */
  progress(text: string, of?: Progress): void;
  /** The text in a style, if stdout (or stderr) is a terminal. */
  paint(style: Style, text: string): string;
  paintTalk(style: Style, text: string): string;
}

/** How far something is whose end is known. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

export function createTerminal(json: boolean): Terminal {
  let shown = "";
  const clear = (): void => {
    if (shown !== "" && process.stderr.isTTY)
      process.stderr.write("\r\u001b[2K");
    shown = "";
  };
  const line = (text: string): void => {
    clear();
    writeOutput(`${text}\n`);
  };
  return {
    json,
    line,
    data: (value, render) => line(json ? JSON.stringify(value) : render()),
    say(text) {
      if (json) return;
      clear();
      process.stderr.write(`${text}\n`);
    },
    progress(text, of) {
      const { isTTY, columns } = process.stderr;
      const whole = isTTY ? `${barOf(of)}${text}` : text;
      if (json || whole === shown) return;
      const width = Math.max(columns - 1, 20);
      process.stderr.write(
        isTTY ? `\r\u001b[2K${whole.slice(0, width)}` : `${whole}\n`,
      );
      shown = whole;
    },
    paint: (style, text) =>
      styleText(style, text, { stream: process.stdout, validateStream: true }),
    paintTalk: (style, text) =>
      styleText(style, text, { stream: process.stderr, validateStream: true }),
  };
}

const BAR_WIDTH = 20;

/** With a blank behind it; nothing where there is nothing to do. */
function barOf(of: Progress | undefined): string {
  if (of === undefined || of.total <= 0) return "";
  const share = Math.min(Math.max(of.done / of.total, 0), 1);
  const full = Math.floor(share * BAR_WIDTH);
  return `${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)} `;
}

/** A table with a header and aligned columns. On a terminal, cells are cut so that a row fits; what somebody may want to copy is never cut, even if the row does not fit then. Control characters in cells are made visible. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  const clean = rows.map((row) => row.map(visible));
  const widths = header.map((title, at) =>
    Math.max(title.length, ...clean.map((row) => row[at]?.length ?? 0)),
  );
  if (process.stdout.isTTY) {
    const least = header.map((_, at) =>
      Math.max(LEAST_WIDTH, ...clean.map((row) => wholeWidth(row[at] ?? ""))),
    );
    shrink(widths, least, process.stdout.columns);
  }
  const render = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        const cut = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
        return at === cells.length - 1 ? cut : cut.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [terminal.paint("bold", render(header)), ...clean.map(render)].join(
    "\n",
  );
}

const LEAST_WIDTH = 8;

/** Ids of ours, and whatever may be an id or is a time: a word of up to 40 characters. */
const WHOLE = /^(?:(?:dlv|ep|evt|rpl|prk|msg|inline)_\S*|\S{1,40})$/;

/** The width that a cell needs because it must not be cut; 0 if it may be. */
function wholeWidth(cell: string): number {
  return WHOLE.test(cell) ? cell.length : 0;
}

/** Narrows the widest column step by step, none below its least width, until all fit or none can be narrowed further. */
function shrink(
  widths: number[],
  least: readonly number[],
  columns: number,
): void {
  const total = (): number =>
    widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > columns) {
    const spare = widths.map((width, at) =>
      width > (least[at] ?? 0) ? width : 0,
    );
    const width = Math.max(...spare);
    if (width === 0) return;
    const widest = spare.indexOf(width);
    widths[widest] = Math.max(width - (total() - columns), least[widest] ?? 0);
  }
}

/** Replaces control characters: a text of a receiver or publisher must not control the terminal. */
export function visible(text: string): string {
  return stripVTControlCharacters(text).replace(
    /\p{Cc}/gu,
    (character) =>
      ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[character] ?? "�",
  );
}
