/** Inserts into a server that misbehaves as a real ClickHouse can only by chance. */
import { afterEach, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { anAttempt, aRawRecord } from "@postrider/testkit";
import { ATTEMPTS } from "../columns.ts";
import { createWriter } from "./writer.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A writer to a server that answers so. */
async function writerTo(
  listener: RequestListener,
  options: Partial<Parameters<typeof createWriter>[0]> = {},
) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const writer = createWriter({
    url: `http://127.0.0.1:${port}`,
    database: "none",
    ...options,
  });
  cleanups.push(
    () => writer.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return writer;
}

const raw = aRawRecord({ topic: "attempts" });

test("an insert whose answer begins and does not end is given up when the signal says so", async () => {
  const giveUp = new AbortController();
  const writer = await writerTo(
    (request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200).flushHeaders();
        // Later than the client has seen the head.
        setTimeout(() => giveUp.abort(), 200);
      });
    },
    { requestTimeoutMs: 600_000 }, // longer than the test may take
  );

  const answer = await writer
    .tableOf(ATTEMPTS)
    .insert([{ value: anAttempt(), raw }], "token", giveUp.signal);

  expect(answer).toMatchObject({ kind: "unavailable", needsOperator: false });
});

test.each([
  [false, [null, null]],
  [true, ["auto", "50000"]],
])(
  "where tables are replicated (%s) an insert waits for a majority of the replicas",
  async (isReplicated, expected) => {
    const asked: URLSearchParams[] = [];
    const writer = await writerTo(
      (request, response) => {
        asked.push(new URL(request.url ?? "", "http://x").searchParams);
        request.resume().on("end", () => response.writeHead(200).end());
      },
      { isReplicated },
    );

    const answer = await writer
      .tableOf(ATTEMPTS)
      .insert(
        [{ value: anAttempt(), raw }],
        "token",
        AbortSignal.timeout(5_000),
      );

    expect(answer).toEqual({ kind: "inserted" });
    const names = ["insert_quorum", "insert_quorum_timeout"];
    expect(names.map((name) => asked[0]?.get(name) ?? null)).toEqual(expected);
    expect(asked[0]?.get("insert_deduplication_token")).toBe("token");
  },
);

test("where tables are replicated, nothing is looked at before the replica has what the others have", async () => {
  const statements: string[] = [];
  const writer = await writerTo(
    (request, response) => {
      void text(request).then((body) => {
        statements.push(body);
        response.writeHead(500).end("Code: 159. DB::Exception: too slow");
      });
    },
    { isReplicated: true },
  );

  const answer = await writer
    .tableOf(ATTEMPTS)
    .mend([{ value: anAttempt(), raw }], "token", AbortSignal.timeout(5_000));

  expect(statements).toEqual(["SYSTEM SYNC REPLICA attempts"]);
  expect(answer).toMatchObject({ kind: "unavailable", needsOperator: false });
});
