/** What a query answers: columns, and rows as JSON texts exactly as ClickHouse wrote them, so that 64-bit integers stay whole. */
export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Each is a JSON array. */
  readonly rows: readonly string[];
  /** There were more rows than the caps let through. */
  readonly truncated: boolean;
}

export interface QueryCaps {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/**
 * Reads a result of the format JSONCompactEachRowWithNamesAndTypes: line 1 names, line 2 types, then a row a line. Stops
 * reading at the first row beyond a cap, which closes the stream, and with it the query on the server.
 */
export async function readCapped(
  lines: AsyncIterable<readonly { readonly text: string }[]>,
  caps: QueryCaps,
): Promise<QueryAnswer> {
  const head: string[] = [];
  const rows: string[] = [];
  let bytes = 0;
  let truncated = false;
  reading: for await (const chunk of lines)
    for (const { text } of chunk) {
      if (head.length < 2) {
        head.push(text);
        continue;
      }
      bytes += text.length;
      if (rows.length >= caps.maxRows || bytes > caps.maxBytes) {
        truncated = true;
        break reading;
      }
      rows.push(text);
    }
  return { columns: columnsOf(head), rows, truncated };
}

function columnsOf(head: readonly string[]): QueryAnswer["columns"] {
  const [names = "[]", types = "[]"] = head;
  const typeList = JSON.parse(types) as readonly string[]; // the format's second line
  return (JSON.parse(names) as readonly string[]).map((name, at) => ({
    name,
    type: typeList[at] ?? "",
  }));
}

/** The response body. Rows are put in as they are. */
export function queryAnswerJson(
  answer: QueryAnswer,
  elapsedMs: number,
): string {
  const columns = JSON.stringify(answer.columns);
  return `{"columns":${columns},"rows":[${answer.rows.join(",")}],"truncated":${answer.truncated},"elapsedMs":${elapsedMs}}`;
}
