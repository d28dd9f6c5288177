import { valueText } from "../api/json-texts.ts";
import type { Result } from "./query-answer.ts";

/** A result as CSV (RFC 4180). NULL is an empty field, an empty text is `""`. */
export function csvOf({ columns, rows }: Pick<Result, "columns" | "rows">) {
  return [
    columns.map(({ name }) => quoted(harmless(name))),
    ...rows.map((row) => row.map(fieldOf)),
  ]
    .map((fields) => `${fields.join(",")}\r\n`)
    .join("");
}

function fieldOf(json: string): string {
  const text = valueText(json);
  if (text === null) return "";
  return json.startsWith('"') ? quoted(harmless(text)) : quoted(text);
}

function quoted(text: string): string {
  return text === "" || /[",\r\n]/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}

/** Receivers and publishers write some of these texts, and a spreadsheet runs one that begins like a formula. A number is none. */
function harmless(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}
