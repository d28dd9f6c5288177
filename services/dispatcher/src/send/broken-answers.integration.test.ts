/**
 * Broken answers from a receiver that took the event, over real sockets. If a final status was read, it decides, however
 * broken the rest is: an accepted event must not be sent again because its answer is malformed. A broken connection is
 * never used for the next attempt.
 */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Socket } from "node:net";
import { parseCidrs, type Outcome } from "@postrider/core";
import {
  flooding,
  startRawReceiver,
  testEffects,
  waitFor,
  type RawReceiver,
} from "@postrider/testkit";
import type { AttemptResult } from "./attempt-result.ts";
import { createGuard } from "./guard.ts";
import { createSender, type Sender } from "./sender.ts";

let sender: Sender;
const receivers: RawReceiver[] = [];

beforeEach(() => {
  const guard = createGuard({
    allowedCidrs: parseCidrs("127.0.0.0/8"),
    deniedCidrs: [],
  });
  sender = createSender({ guard, ...testEffects() });
});

afterEach(async () => {
  await sender.stop(Date.now());
  for (const receiver of receivers.splice(0)) await receiver.close();
});

/** Answers each complete request with `answer`. */
async function aReceiver(
  answer: (socket: Socket) => void | Promise<void>,
): Promise<RawReceiver> {
  const receiver = await startRawReceiver(async ({ socket, request }) => {
    for (;;) {
      await request();
      await answer(socket);
    }
  });
  receivers.push(receiver);
  return receiver;
}

async function attempt(origin: string): Promise<AttemptResult> {
  const result = await sender.send({
    origin,
    path: "/",
    method: "POST",
    headers: [],
    body: Buffer.from("{}"),
    timeoutMs: 20_000,
  });
  if (result.kind !== "attempted") throw new Error(result.error);
  return result;
}

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

interface Row {
  readonly name: string;
  readonly answer: string;
  readonly outcome?: Outcome;
  readonly statusCode?: number | null;
  /** False: HTTP allows the answer, and `error` stays null. */
  readonly isFlaw?: boolean;
  /** The server closes the connection after the answer; needed if only that ends the body. */
  readonly closes?: boolean;
  /** The flaw comes after a complete answer: it is noted only if it arrives together with that answer. */
  readonly isBehind?: boolean;
}

const rows: readonly Row[] = [
  // Statuses that must not have a body.
  {
    name: "a 204 in chunks with the empty chunk",
    answer:
      "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    statusCode: 204,
  },
  {
    name: "a 204 in chunks without any chunk",
    answer: "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
    statusCode: 204,
  },
  {
    name: "a 204 with chunks",
    answer:
      "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    statusCode: 204,
  },
  {
    name: "a 204 with a length and its body",
    answer: "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
    statusCode: 204,
  },
  {
    name: "a 204 with a length and no body",
    answer: "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n",
    statusCode: 204,
  },
  {
    name: "a 204 with a body of no length",
    answer: "HTTP/1.1 204 No Content\r\n\r\nok",
    statusCode: 204,
    isBehind: true,
  },
  {
    name: "a 204 with both framings",
    answer:
      "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    statusCode: 204,
  },
  {
    name: "a 204 of length 0",
    answer: "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
    statusCode: 204,
    isFlaw: false,
  },
  {
    name: "a 205 with a length and its body",
    answer: "HTTP/1.1 205 Reset\r\ncontent-length: 2\r\n\r\nok",
    statusCode: 205,
  },
  {
    name: "a 205 with a length and no body",
    answer: "HTTP/1.1 205 Reset\r\ncontent-length: 2\r\n\r\n",
    statusCode: 205,
  },
  {
    name: "a 205 in chunks",
    answer:
      "HTTP/1.1 205 Reset\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    statusCode: 205,
  },
  {
    name: "a 205 with the empty chunk",
    answer: "HTTP/1.1 205 Reset\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    statusCode: 205,
    isFlaw: false,
  },
  // Framing that contradicts itself.
  {
    name: "both framings, the length first",
    answer:
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  },
  {
    name: "both framings, the length last",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  },
  {
    name: "two lengths that differ",
    answer:
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
  },
  {
    name: "two lengths that agree",
    answer:
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "a length of 20 digits",
    answer: "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nok",
  },
  {
    name: "a negative length",
    answer: "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nok",
  },
  {
    name: "a length in words",
    answer: "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nok",
  },
  {
    name: "an encoding after chunked",
    answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\nok",
  },
  {
    name: "an unknown transfer encoding",
    answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: odd\r\n\r\nok",
  },
  // Bodies that do not match their framing.
  {
    name: "a length that is too long, then the end",
    answer: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok",
    closes: true,
  },
  {
    name: "a length that is too short",
    answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more",
    isBehind: true,
  },
  {
    name: "a chunk of no number",
    answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n",
  },
  {
    name: "a chunk longer than it says",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n",
  },
  {
    name: "chunks without the last",
    answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    closes: true,
  },
  {
    name: "a chunk of 17 digits",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n",
  },
  {
    name: "trailers",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n2\r\nok\r\n0\r\nx: 1\r\n\r\n",
    isFlaw: false,
  },
  {
    name: "trailers that are broken",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx y z\r\n\r\n",
  },
  {
    name: "a trailer that is a length",
    answer:
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ncontent-length: 9\r\n\r\n",
  },
  {
    name: "a second answer behind the first",
    answer: `${OK}HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n`,
    isBehind: true,
  },
  { name: "garbage behind the answer", answer: `${OK}garbage`, isBehind: true },
  { name: "line feeds behind the answer", answer: `${OK}\r\n`, isFlaw: false },
  // Heads that break HTTP after their status line.
  {
    name: "a folded header",
    answer: "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "a NUL in a header",
    answer: "HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "a header without a colon",
    answer: "HTTP/1.1 200 OK\r\nwhat\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "a space before the colon",
    answer: "HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "lines that end with LF",
    answer: "HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
  },
  {
    name: "lines that end with CR",
    answer: "HTTP/1.1 200 OK\rcontent-length: 2\r\rok",
  },
  {
    name: "no reason phrase",
    answer: "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok",
    isFlaw: false,
  },
  {
    name: "a version of its own",
    answer: "HTTP/1.7 200 OK\r\ncontent-length: 2\r\n\r\nok",
  },
  {
    name: "HTTP/2 in a status line",
    answer: "HTTP/2 200\r\ncontent-length: 2\r\n\r\nok",
  },
  // Unusual answers that are valid.
  {
    name: "an answer that closes",
    answer:
      "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    isFlaw: false,
    closes: true,
  },
  {
    name: "an answer that closes and has no length",
    answer: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok",
    isFlaw: false,
    closes: true,
  },
  {
    name: "an offer to upgrade",
    answer:
      "HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok",
    isFlaw: false,
  },
  // Bytes before the answer.
  {
    name: "a 100 that nobody asked for",
    answer: `HTTP/1.1 100 Continue\r\n\r\n${OK}`,
    isFlaw: false,
  },
  {
    name: "a 100, a 103 and a 102",
    answer: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`,
    isFlaw: false,
  },
  {
    name: "a 100 whose lines end with LF",
    answer: `HTTP/1.1 100 Continue\n\n${OK}`,
    isFlaw: false,
  },
  {
    name: "an empty line before the answer",
    answer: `\r\n${OK}`,
    isFlaw: false,
  },
  // Other statuses decide in the same way.
  {
    name: "a 500 with both framings",
    answer:
      "HTTP/1.1 500 No\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    outcome: "http_error",
    statusCode: 500,
  },
  {
    name: "a 410 with a folded header",
    answer: "HTTP/1.1 410 Gone\r\nx: a\r\n b\r\n\r\n",
    outcome: "http_error",
    statusCode: 410,
  },
  {
    name: "a 302 with two lengths",
    answer:
      "HTTP/1.1 302 Found\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    outcome: "redirect",
    statusCode: 302,
  },
  {
    name: "a 304 in chunks",
    answer:
      "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    outcome: "redirect",
    statusCode: 304,
  },
  {
    name: "a 304 with a length",
    answer: "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n",
    outcome: "redirect",
    statusCode: 304,
    isFlaw: false,
    closes: true,
  },
  // Without a status there is no answer.
  {
    name: "a status of four digits",
    answer: "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "a status of two digits",
    answer: "HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "a status of 000",
    answer: "HTTP/1.1 000 OK\r\ncontent-length: 2\r\n\r\nok",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "a status of 099",
    answer: "HTTP/1.1 099 OK\r\ncontent-length: 2\r\n\r\nok",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "a switch of protocols",
    answer:
      "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "a banner of SSH",
    answer: "SSH-2.0-OpenSSH_9.7\r\n",
    outcome: "protocol_error",
    statusCode: null,
  },
  {
    name: "HTML without a head",
    answer: "<html>200 OK</html>",
    outcome: "protocol_error",
    statusCode: null,
  },
];

const ways = {
  "in one piece": (answer: string) => [answer],
  "byte by byte": (answer: string) => [...answer],
};

for (const [way, split] of Object.entries(ways)) {
  test.each(rows)(`$name, ${way}`, async (row) => {
    const { outcome = "delivered", statusCode = 200, isFlaw = true } = row;
    // Byte by byte, what is behind an answer comes together with it or not.
    const isEither = row.isBehind === true && way !== "in one piece";
    const isKept = !isFlaw && row.closes !== true;
    let answers = 0;
    const receiver = await aReceiver(async (socket) => {
      if ((answers += 1) > 1) return void socket.write(OK);
      for (const piece of split(row.answer)) {
        socket.write(piece, "latin1");
        await new Promise((resume) => setImmediate(resume));
      }
      if (row.closes === true) socket.end();
    });

    const result = await attempt(receiver.url);
    if (!isKept) await waitFor(() => sender.stats().sockets === 0);
    const next = await attempt(receiver.url);

    expect({
      outcome: result.outcome,
      statusCode: result.statusCode,
      isNoted: result.error !== null,
    }).toEqual({
      outcome,
      statusCode,
      isNoted: isEither ? expect.any(Boolean) : isFlaw,
    });
    expect(next).toMatchObject({ outcome: "delivered", error: null });
    expect(next.isReused).toBe(isKept);
  });
}

test.each([
  ["counts though the body is broken", "", "60"],
  ["is lost with a head that is refused", "x: a\r\n b\r\n", null],
])("a Retry-After %s", async (_name, header, retryAfter) => {
  const receiver = await aReceiver(
    (socket) =>
      void socket.write(
        `HTTP/1.1 429 No\r\nretry-after: 60\r\n${header}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      ),
  );

  const result = await attempt(receiver.url);

  expect(result).toMatchObject({
    outcome: "http_error",
    statusCode: 429,
    retryAfter,
    error: expect.stringContaining("breaks HTTP"),
  });
});

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

// What undici does not count.
test.each<[string, string, string, Outcome]>([
  ["103s", "", "HTTP/1.1 103 Early Hints\r\n\r\n", "response_too_large"],
  ["a header of a 103", "HTTP/1.1 103 x\r\nx: ", "a", "response_too_large"],
  ["empty lines", "", "\r\n", "response_too_large"],
  ["a reason phrase", "HTTP/1.1 200 ", "a", "delivered"],
  ["spaces before a value", "HTTP/1.1 200 OK\r\nx:", " ", "delivered"],
  ["a chunk extension", `${CHUNKED}5;`, "a=b;", "delivered"],
  ["digits of a chunk's length", CHUNKED, "0", "delivered"],
])(
  "%s without end are not read until the deadline",
  async (_name, head, part, outcome) => {
    const block = part.repeat(Math.ceil(65_536 / part.length));
    const receiver = await startRawReceiver(flooding(head, block), {
      keepsBytes: false,
    });
    receivers.push(receiver);

    const result = await attempt(receiver.url);

    expect(result).toMatchObject({
      outcome,
      errorCode: "POSTRIDER_ANSWER_TOO_LONG",
      isBodyLate: false,
    });
    await waitFor(() => sender.stats().sockets === 0);
  },
);

test("empty lines without end behind an answer are not read while the connection rests", async () => {
  const lines = "\r\n".repeat(32_768);
  const receiver = await startRawReceiver(flooding(OK, lines), {
    keepsBytes: false,
  });
  receivers.push(receiver);

  const result = await attempt(receiver.url);

  expect(result).toMatchObject({ outcome: "delivered", statusCode: 200 });
  // Sooner than a connection that rests is closed.
  await waitFor(() => sender.stats().sockets === 0, { timeoutMs: 20_000 });
});

test("a body of 64 KiB in chunks of one byte is read to its end", async () => {
  const body = "1\r\nx\r\n".repeat(65_536);
  const receiver = await aReceiver(
    (socket) => void socket.write(`${CHUNKED}${body}0\r\n\r\n`),
  );

  const result = await attempt(receiver.url);

  expect(result).toMatchObject({ outcome: "delivered", responseBytes: 65_536 });
  expect(result.errorCode).not.toBe("POSTRIDER_ANSWER_TOO_LONG");
});
