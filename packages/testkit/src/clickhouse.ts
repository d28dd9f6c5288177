import { createClient } from "@clickhouse/client";

/** Runs a statement that returns nothing. */
export async function execute(url: string, statement: string): Promise<void> {
  const client = createClient({ url });
  try {
    await client.command({ query: statement });
  } finally {
    await client.close();
  }
}

/** The rows of a query, as objects. */
export async function rowsOf<Row>(
  url: string,
  query: string,
  params: Readonly<Record<string, unknown>> = {},
): Promise<Row[]> {
  const client = createClient({ url });
  try {
    const answer = await client.query({
      query,
      query_params: params,
      format: "JSONEachRow",
    });
    return await answer.json<Row>();
  } finally {
    await client.close();
  }
}
