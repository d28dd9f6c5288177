/** The rows on the page are those that the API gives: otherwise the time until they are shown is that of nothing. */
import type { FirstLoad } from "./first-load.ts";
import type { Shown } from "./watched-page.ts";

/** The list of deliveries: by their ids, in their order. `texts` are the answers that the page and Node got for it. */
export function checkDeliveries(
  { rows }: Shown,
  what: string,
  texts: readonly string[],
): void {
  const onPage = rows.map(([hash]) => hash).join();
  for (const text of texts) {
    const { deliveries } = JSON.parse(text) as {
      readonly deliveries: readonly { readonly id: string }[];
    }; // as GET /v1/deliveries answers
    const given = deliveries.map(({ id }) => `#/deliveries/${id}`).join();
    if (given === "" || given !== onPage)
      throw new Error(
        `${what}: the page shows ${rows.length} rows, which are not the ${deliveries.length} that the API gives`,
      );
  }
}

const STATES = "/v1/queries/delivery-states";
const TILES = ["delivered", "failed", "pending", "expired"];

/** The overview: its numbers of deliveries, by the answer that the page itself got, because they move with the time. */
export function checkOverview({ shown, answers }: FirstLoad): void {
  const text = answers.find(({ path }) => path.startsWith(STATES))?.text;
  if (text === undefined) throw new Error(`the overview asked no ${STATES}`);
  const { columns, rows } = JSON.parse(text) as {
    readonly columns: readonly { readonly name: string }[];
    readonly rows: readonly (readonly unknown[])[];
  }; // as GET /v1/queries/{name} answers
  const [status, count] = ["status", "count"].map((name) =>
    columns.findIndex((column) => column.name === name),
  );
  const given = TILES.map((tile) =>
    rows
      .filter((row) => row[status!] === tile)
      .reduce((sum, row) => sum + Number(row[count!]), 0),
  );
  const onPage = shown.rows
    .slice(0, TILES.length)
    .map(([, label]) => Number(label.replaceAll(/\D/g, "")));
  if (given.join() !== onPage.join())
    throw new Error(
      `the overview shows ${onPage.join()} deliveries, and the API gives ${given.join()}`,
    );
}
