/** Asks control's API, one question after the other, and takes the time of each answer. */
import type { Known } from "./known.ts";
import type { Question } from "./question.ts";

/** Sends `GET path` with the key of this tenant; null: as an administrator. */
export type Get = (
  path: string,
  tenantId: string | null,
) => Promise<{ readonly status: number; readonly text: string }>;

export interface Asked {
  readonly question: Question;
  /** From the request to the last byte of its answer. */
  readonly ms: number;
  /** Epoch µs; between them ClickHouse was asked. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Reads the pages of an answer. Throws where the answer is a problem, or has no row although rows are known to be there. */
export async function ask(
  question: Question,
  known: Known,
  get: Get,
): Promise<readonly Asked[]> {
  const { path, field, pages, scope, mayBeEmpty } = question;
  const asked: Asked[] = [];
  let [rows, cursor] = [0, ""];
  // A page without rows may have a rest: then rows are looked for, and each look is measured.
  for (let page = 0; page < pages || rows === 0; page++) {
    const place = cursor === "" ? "" : `cursor=${cursor}`;
    const next = [path, place].filter((part) => part !== "");
    const startedAt = nowMicros();
    const { status, text } = await get(
      next.join(path.includes("?") ? "&" : "?"),
      known.tenantOf[scope],
    );
    const endedAt = nowMicros();
    asked.push({
      question,
      ms: (endedAt - startedAt) / 1000,
      startedAt,
      endedAt,
    });
    if (status !== 200)
      throw new Error(`${path} (${scope}) was answered ${status}: ${text}`);
    // Every answer of these routes is an object; those of lists have a cursor.
    const answer = JSON.parse(text) as Readonly<Record<string, unknown>> & {
      readonly nextCursor?: string | null;
    };
    rows += (answer[field] as readonly unknown[]).length; // the question names the answer's field of rows
    cursor = answer.nextCursor ?? "";
    if (cursor === "") break;
  }
  if (rows === 0 && !mayBeEmpty)
    throw new Error(
      `${path} (${scope}) has no rows, although they are in the tables: an empty answer is not measured`,
    );
  return asked;
}

function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
