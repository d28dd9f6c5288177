/** Why an expression is no filter. */
export interface FilterProblem {
  readonly rule: "max_bytes" | "syntax" | "name" | "function" | "size" | "type";
  /** Says where in the expression. */
  readonly message: string;
}

/** How much of the expression is shown. */
const SHOWN = 40;

/** ``column 9, at `paylod.total > 3` ``; with the line where there are several. `offset`: in UTF-16 code units. */
export function placeIn(text: string, offset: number): string {
  const at = Math.min(Math.max(offset, 0), text.length);
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const line = text.slice(0, at).split("\n").length;
  const rest = text.slice(at).split("\n")[0] ?? "";
  const shown = rest.length > SHOWN ? `${rest.slice(0, SHOWN)}…` : rest;
  const column = `column ${at - lineStart + 1}`;
  const place = text.includes("\n") ? `line ${line}, ${column}` : column;
  return shown.trim() === ""
    ? `${place}, its end`
    : `${place}, at \`${shown}\``;
}
