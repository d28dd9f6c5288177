import { waitFor } from "@postrider/testkit";
import { callApi } from "../api.ts";
import { table } from "../terminal.ts";
import { expectEqual, type Scene } from "./scene.ts";

export interface TourQuery {
  readonly name: string;
  readonly title: string;
  readonly sql: string;
  readonly expected: readonly (readonly (string | number)[])[];
}

/** The first questions that people ask. The tour knows the right answers and checks them. */
export const QUERIES: readonly TourQuery[] = [
  {
    name: "sql-status",
    title: "SQL: how do the deliveries stand?",
    sql: "SELECT event_type, status, attempts FROM deliveries FINAL ORDER BY event_type",
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
    sql: "SELECT event_type, attempt_number, outcome, status_code, tier, status FROM attempts WHERE outcome != 'delivered' ORDER BY event_type, attempt_number",
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
    sql: "SELECT event_type, reason, attempts, last_status_code FROM dead_letters ORDER BY dead_at",
    expected: [["user.deleted", "exhausted", 3, 500]],
  },
];

export async function ask(scene: Scene, query: TourQuery): Promise<void> {
  const { narrator, control, terminal } = scene;
  await narrator.step(
    query.name,
    { doing: "Asking ClickHouse in SQL", claim: query.title },
    async () => {
      const rows = await waitFor(
        async () => {
          const answer = (await callApi(control, {
            method: "POST",
            path: "/v1/query",
            body: JSON.stringify({ sql: query.sql }),
          })) as {
            columns: { name: string }[];
            rows: (string | number)[][];
          }; // this is what control's API answers
          return answer.rows.length >= query.expected.length ? answer : null;
        },
        { what: "the rows", timeoutMs: 60_000 },
      );
      expectEqual("the rows", rows.rows, query.expected);
      const shown = table(
        rows.columns.map((column) => column.name),
        rows.rows.map((row) => row.map(String)),
        terminal,
      );
      return `${terminal.paint("dim", query.sql)}\n${shown}`;
    },
  );
}
