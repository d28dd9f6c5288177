import type { QueryAnswer } from "../api/answers-queries.ts";
import { fieldTextsOf, membersOf } from "../api/json-texts.ts";

/** A result as it came. A 64-bit integer is beyond what JavaScript's numbers hold, so each value stays the JSON text that it is in the answer. */
export interface Result extends Omit<QueryAnswer, "rows"> {
  readonly rows: readonly (readonly string[])[];
  /** The whole answer. */
  readonly text: string;
}

/** Reads what `POST /v1/query` and `GET /v1/queries/{name}` answer. Throws a `SyntaxError` where the text is no JSON. */
export function readResult(text: string): Result {
  // Its rows are dropped at once: their numbers may be rounded.
  const { columns, truncated, elapsedMs } = JSON.parse(text) as QueryAnswer; // what the API documents
  const rows = fieldTextsOf(text)?.get("rows") ?? "[]";
  return {
    columns,
    rows: membersOf(rows).map(membersOf),
    truncated,
    elapsedMs,
    text,
  };
}
