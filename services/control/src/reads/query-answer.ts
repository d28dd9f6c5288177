/** The result of a query: columns, and rows as JSON texts exactly as ClickHouse wrote them, so that 64-bit integers keep every digit. */
export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Each row is the text of a JSON array. */
  readonly rows: readonly string[];
  /** There were more rows than the caps allow. */
  readonly truncated: boolean;
}

export interface QueryCaps {
  readonly maxRows: number;
  /** Of the rows' texts in UTF-8. */
  readonly maxBytes: number;
}

/**
 * Reads a result in the format JSONCompactEachRowWithNamesAndTypes: line 1 names, line 2 types, then one row per line. Stops
 * reading at the first row beyond a cap. That closes the stream, and so ends the query on the server.
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
      bytes += Buffer.byteLength(text);
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
  const typeList = JSON.parse(types) as readonly string[]; // line 2 is a JSON array of texts
  return (JSON.parse(names) as readonly string[]).map((name, at) => ({
    name,
    type: typeList[at] ?? "",
  }));
}

/** The response body. The rows' texts are inserted unchanged. */
export function queryAnswerJson(
  answer: QueryAnswer,
  elapsedMs: number,
): string {
  const columns = JSON.stringify(answer.columns);
  return `{"columns":${columns},"rows":[${answer.rows.join(",")}],"truncated":${answer.truncated},"elapsedMs":${elapsedMs}}`;
}
