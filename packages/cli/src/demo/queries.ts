import { waitFor } from "@postrider/testkit";
import { callApi, type ApiAddress } from "../api.ts";
import { table } from "../terminal.ts";
import { expectEqual, where, type Scene } from "./scene.ts";

export interface TourQuery {
  readonly name: string;
  readonly title: string;
  readonly sql: string;
  /** The rows of the right answer; null stands for any value. */
  readonly expected: readonly (readonly (string | number | null)[])[];
}

/** The first questions that people ask. The tour knows the right answers and checks them. */
export const queriesOf = (scene: Scene): readonly TourQuery[] => [
  {
    name: "sql-status",
    title: "SQL: how do the deliveries stand?",
    sql: `SELECT event_type, status, attempts FROM deliveries FINAL${where(scene)} ORDER BY event_type`,
    expected: [
      ["invoice.sent", "delivered", 3],
      ["order.paid", "delivered", 1],
      ["report.ready", "delivered", 1],
      ["user.deleted", "expired", 3],
    ],
  },
  {
    name: "sql-failures",
    title: "SQL: what failed, and what came next?",
    sql: `SELECT event_type, attempt_number, outcome, status_code, tier, status FROM attempts${where(scene, "outcome != 'delivered'")} ORDER BY event_type, attempt_number`,
    expected: [
      ["invoice.sent", 1, "http_error", 500, "1s", "failed"],
      ["invoice.sent", 2, "http_error", 503, "2s", "failed"],
      ["user.deleted", 1, "http_error", 500, "1s", "failed"],
      ["user.deleted", 2, "http_error", 500, "2s", "failed"],
      ["user.deleted", 3, "http_error", 500, "", "expired"],
    ],
  },
  {
    name: "sql-dead-letters",
    title: "SQL: what was given up, and why?",
    sql: `SELECT event_type, reason, attempts, last_status_code FROM dead_letters${where(scene)} ORDER BY dead_at`,
    expected: [["user.deleted", "exhausted", 3, 500]],
  },
];

export async function ask(scene: Scene, query: TourQuery): Promise<void> {
  const { narrator, terminal } = scene;
  await narrator.step(
    query.name,
    { doing: "Asking ClickHouse in SQL", claim: query.title },
    async () => {
      const answer = await rightAnswer(scene.control, query);
      const shown = table(
        answer.columns.map((column) => column.name),
        answer.rows.map((row) => row.map(String)),
        terminal,
      );
      return `${terminal.paint("dim", query.sql)}\n${shown}`;
    },
  );
}

interface Answer {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Asks until the answer is right: the rows may not be in ClickHouse yet. Throws, naming both answers, if it stays wrong. */
async function rightAnswer(
  control: ApiAddress,
  { sql, expected }: TourQuery,
): Promise<Answer> {
  let answer: Answer = { columns: [], rows: [] };
  const checkRows = (): void =>
    expectEqual(
      "the rows",
      answer.rows.map((row, r) =>
        row.map((cell, c) => (expected[r]?.[c] === null ? null : cell)),
      ),
      expected,
    );
  await waitFor(
    async () => {
      answer = (await callApi(control, {
        method: "POST",
        path: "/v1/query",
        body: JSON.stringify({ sql }),
      })) as Answer; // this is what control's API answers
      checkRows();
      return true;
    },
    { what: "the rows", timeoutMs: 60_000, everyMs: 100 },
  ).catch((error: unknown) => {
    if (answer.columns.length > 0) checkRows(); // says more than "in vain"
    throw error;
  });
  return answer;
}
