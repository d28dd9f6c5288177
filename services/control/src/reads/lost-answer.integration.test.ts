/** A connection that is closed just as a question is sent over it, as ClickHouse does with one that was idle, costs nobody an answer. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  startTcpProxy,
  testEffects,
  useStack,
  type TcpProxy,
} from "@postrider/testkit";
import { createReader, type Reader } from "./reader.ts";

const stack = useStack();
let proxy: TcpProxy;
let reader: Reader;
beforeAll(async () => {
  const { hostname, port } = new URL(stack.clickhouseUrl);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  reader = createReader({
    ...testEffects(),
    url: `http://127.0.0.1:${proxy.port}`,
    database: "default",
    queryTimeoutMs: 10_000,
  });
});
afterAll(async () => {
  await reader.stop(0);
  await proxy.close();
});

test("a question over such a connection is asked again", async () => {
  proxy.loseAnswers("40 + 2", 1);
  expect(await reader.select("SELECT 40 + 2 AS n", {})).toEqual([{ n: 42 }]);

  proxy.loseAnswers("40 + 3", 1);
  const { signal } = new AbortController();
  expect(await reader.query("SELECT 40 + 3 AS n", signal)).toMatchObject({
    rows: ["[43]"],
  });

  expect(proxy.lost()).toBe(2);
});

test("it is asked twice at most", async () => {
  const before = proxy.lost();
  proxy.loseAnswers("40 + 4", 9);

  await expect(reader.select("SELECT 40 + 4 AS n", {})).rejects.toMatchObject({
    code: "clickhouse_unavailable",
  });
  expect(proxy.lost() - before).toBe(2);
});
