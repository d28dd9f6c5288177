/** The forms in which a list is written: a table for people, and JSON, NDJSON and CSV for programs. */
import { CliError, EXIT } from "../cli-error.ts";
import { table, type Terminal } from "../terminal.ts";
import { cell, type ListSpec, type Row } from "./list-spec.ts";

export const FORMS = ["table", "json", "ndjson", "csv"] as const;
export type Form = (typeof FORMS)[number];

export interface FormOptions {
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly csv?: boolean;
}

/** Throws a usage error for two at once. */
export function formOf(options: FormOptions): Form {
  const asked = (["json", "ndjson", "csv"] as const).filter(
    (form) => options[form] === true,
  );
  const [form = "table", second] = asked;
  if (second !== undefined)
    throw new CliError(
      EXIT.usage,
      `--${form} and --${second} exclude each other.`,
      { next: "Give one of --json, --ndjson, --csv, or none for a table." },
    );
  return form;
}

/** Writes pages as they come, so that a long list is never held whole; only `--json`, which is one value, is written at the end. */
export function createListWriter(
  { field, header, cellsOf }: Pick<ListSpec, "field" | "header" | "cellsOf">,
  form: Form,
  terminal: Terminal,
): {
  page(rows: readonly Row[]): void;
  /** `nextCursor`: there is more. */
  end(nextCursor: string | null): void;
} {
  const kept: Row[] = [];
  let columns: readonly string[] | null = null;
  return {
    page(rows) {
      switch (form) {
        case "json":
          kept.push(...rows);
          return;
        case "ndjson":
          for (const row of rows) terminal.line(JSON.stringify(row));
          return;
        case "csv":
          for (const row of rows) {
            if (columns === null) {
              columns = Object.keys(row);
              csvLine(columns, terminal);
            }
            csvLine(
              columns.map((name) => cell(row[name])),
              terminal,
            );
          }
          return;
        case "table":
          if (rows.length > 0)
            terminal.line(table(header, rows.map(cellsOf), terminal));
      }
    },
    end(nextCursor) {
      if (form === "json")
        terminal.line(JSON.stringify({ [field]: kept, nextCursor }));
    },
  };
}

/** RFC 4180: lines end in CR LF; a cell with a comma, a quote or an end of line is quoted, its quotes doubled. The writer adds the LF. */
export function csvLine(cells: readonly string[], terminal: Terminal): void {
  const written = cells.map((text) =>
    /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
  );
  terminal.line(`${written.join(",")}\r`);
}
