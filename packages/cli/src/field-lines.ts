import { visible, type Terminal } from "./terminal.ts";

/** How fields are shown for people: as a text, or as one line for each part. */
export type Shown = Readonly<
  Record<string, ((value: never) => string | readonly string[]) | undefined>
>;

const NAME_WIDTH = 20;

/** An answer of control's API for people: one field a line. Empty fields are left out. `shown` says how the fields that it names look; others that are no text are JSON. */
export function fieldLines(
  answer: object,
  terminal: Pick<Terminal, "paint">,
  shown: Shown = {},
): string {
  return Object.entries(answer)
    .flatMap(([name, value]) => {
      const [first, ...more] = linesOf(value, shown[name]);
      if (first === undefined) return [];
      const title = terminal.paint("bold", name.padEnd(NAME_WIDTH));
      const indent = " ".repeat(NAME_WIDTH);
      return [`${title} ${first}`, ...more.map((line) => `${indent} ${line}`)];
    })
    .join("\n");
}

function linesOf(value: unknown, show: Shown[string]): readonly string[] {
  const found = show === undefined ? textOf(value) : show(value as never); // the caller knows the type of the field that it names
  return [found].flat().filter(Boolean).map(visible);
}

function textOf(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
