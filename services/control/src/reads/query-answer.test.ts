import { expect, test } from "@jest/globals";
import { queryAnswerJson, readCapped } from "./query-answer.ts";

async function* chunksOf(...chunks: string[][]) {
  for (const chunk of chunks) yield chunk.map((text) => ({ text }));
}

const HEAD = ['["n","name"]', '["UInt64","String"]'];
const ROOMY = { maxRows: 100, maxBytes: 1000 };

test("rows pass as ClickHouse wrote them, so 64-bit integers stay whole", async () => {
  const answer = await readCapped(
    chunksOf(HEAD, ['[18446744073709551615,"a"]']),
    ROOMY,
  );

  expect(queryAnswerJson(answer, 7)).toBe(
    '{"columns":[{"name":"n","type":"UInt64"},{"name":"name","type":"String"}],"rows":[[18446744073709551615,"a"]],"truncated":false,"elapsedMs":7}',
  );
});

test("a result without rows still has its columns", async () => {
  const answer = await readCapped(chunksOf(HEAD), ROOMY);

  expect(answer.columns).toHaveLength(2);
  expect(answer).toMatchObject({ rows: [], truncated: false });
});

test.each([
  ["rows", { maxRows: 2, maxBytes: 1000 }, '[1,"abcdef"]'],
  ["bytes", { maxRows: 100, maxBytes: 25 }, '[1,"abcdef"]'],
  ["bytes, of letters of three", { maxRows: 100, maxBytes: 25 }, '[1,"日本"]'],
])(
  "beyond the cap on %s nothing is kept and the source is closed",
  async (_cap, caps, row) => {
    let isClosed = false;
    async function* endless() {
      try {
        yield HEAD.map((text) => ({ text }));
        for (;;) yield [{ text: row }];
      } finally {
        isClosed = true;
      }
    }

    const answer = await readCapped(endless(), caps);

    expect(answer).toMatchObject({ truncated: true });
    expect(answer.rows).toHaveLength(2);
    expect(isClosed).toBe(true);
  },
);
