import { expect, test } from "@jest/globals";
import type { Socket } from "node:net";
import fc from "fast-check";
import { AnswerHead } from "./answer-head.ts";
import { watchAnswers } from "./watch-answers.ts";

interface Seen {
  readonly passed: string;
  readonly statusCode: number;
}

function seen(answer: string, cuts: readonly number[] = []): Seen {
  const head = new AnswerHead();
  const bytes = Buffer.from(answer, "latin1");
  const at = [...new Set([0, ...cuts.map((cut) => cut % bytes.length)])];
  at.sort((a, b) => a - b);
  let passed = "";
  head.expect();
  at.forEach((from, n) => {
    const chunk = bytes.subarray(from, at[n + 1] ?? bytes.length);
    passed += head.take(chunk).toString("latin1");
  });
  return { passed, statusCode: head.statusCode };
}

const OK = "HTTP/1.1 200 OK\r\nx: 1\r\n\r\nbody HTTP/1.1 500 \r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const HINTS = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";

const rows: readonly (readonly [string, string, Seen])[] = [
  ["an answer", OK, { passed: OK, statusCode: 200 }],
  ["a 100", CONTINUE + OK, { passed: OK, statusCode: 200 }],
  ["a 103", HINTS + CONTINUE + OK, { passed: OK, statusCode: 200 }],
  ["only a 103", HINTS, { passed: "", statusCode: 0 }],
  [
    "a 100 whose lines end with LF",
    `HTTP/1.1 100 Continue\n\n${OK}`,
    { passed: OK, statusCode: 200 },
  ],
  [
    "a 103 of LF with an empty line of CRLF",
    `HTTP/1.1 103 Early Hints\nlink: </a>\n\r\n${OK}`,
    { passed: OK, statusCode: 200 },
  ],
  [
    "a 103 of CRLF with an empty line of LF",
    `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\n${OK}`,
    { passed: OK, statusCode: 200 },
  ],
  ["empty lines", `\r\n${OK}`, { passed: `\r\n${OK}`, statusCode: 200 }],
  ["half a status", "HTTP/1.1 20", { passed: "", statusCode: 0 }],
  [
    "no reason",
    "HTTP/2 204\r\n",
    { passed: "HTTP/2 204\r\n", statusCode: 204 },
  ],
];

test.each(rows)("%s in any pieces", (_name, answer, expected) => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 40 }), (cuts) => {
      expect(seen(answer, cuts)).toEqual(expected);
    }),
  );
});

test.each([
  "HTTP/1.1 2000 OK\r\n\r\n",
  "HTTP/1.1 099 OK\r\n\r\n",
  "HTTP/1.1 101 Switching\r\n\r\n",
  "HTTP/1.1 2x0 OK\r\n\r\n",
  "HTTP/1.1 :00 OK\r\n\r\n",
  "HTTP/1.1  200 OK\r\n\r\n",
  "HTTP/1.1\r\n\r\n",
  "SSH-2.0-x\r\n",
  "SSH",
  "<html>",
])("%j is no final status and passes as it is", (answer) => {
  expect(seen(answer)).toEqual({ passed: answer, statusCode: 0 });
});

test("bytes pass unchanged before a request, and each request resets the head", () => {
  const head = new AnswerHead();

  expect(head.take(Buffer.from(CONTINUE)).toString()).toBe(CONTINUE);
  expect(head.hasByte).toBe(false);
  head.expect();
  head.take(Buffer.from(OK));
  expect([head.statusCode, head.hasByte]).toEqual([200, true]);
  head.expect();
  expect([head.statusCode, head.hasByte]).toEqual([0, false]);
});

test("an informational head of any length is left out", () => {
  const hints = `HTTP/1.1 103 x\r\nlink: ${"a".repeat(40_000)}\r\n\r\n`;
  const pieces = Array.from({ length: 600 }, (_, n) => n * 71);

  expect(seen(hints + OK)).toEqual({ passed: OK, statusCode: 200 });
  expect(seen(hints + OK, pieces)).toEqual({ passed: OK, statusCode: 200 });
});

test("empty lines without end are held up to a bound", () => {
  const head = new AnswerHead();
  head.expect();
  let passed = 0;

  for (let n = 0; n < 20; n++)
    passed += head.take(Buffer.from("\r\n".repeat(512))).length;

  expect(passed).toBeGreaterThan(16_384);
});

/** A socket that has received these chunks, and what a reader gets of it. */
function reader(...chunks: readonly Buffer[]) {
  const left = [...chunks];
  const socket = { destroyed: false, read: () => left.shift() ?? null };
  const head = new AnswerHead();
  watchAnswers(socket as unknown as Socket, head); // nothing else of a socket is used
  head.expect();
  return { socket, head, read: () => socket.read() };
}

const LARGE = Buffer.from(`HTTP/1.1 200 OK\r\n${"a:b\r\n".repeat(13_000)}`);

test("of a long answer everything comes, in order, and after the first 16 KiB in small pieces", () => {
  const { read } = reader(LARGE.subarray(0, 30_000), LARGE.subarray(30_000));
  const pieces: Buffer[] = [];
  for (let piece = read(); piece !== null; piece = read()) pieces.push(piece);

  expect(Buffer.concat(pieces).equals(LARGE)).toBe(true);
  expect(pieces[0]).toHaveLength(16_384);
  expect(Math.max(...pieces.slice(1).map(({ length }) => length))).toBe(256);
});

test("once the socket is destroyed the reader gets nothing more of a chunk", () => {
  const { socket, read } = reader(LARGE);
  read();
  read();

  socket.destroyed = true;

  expect(read()).toBeNull();
});

test("each answer may begin with 16 KiB in one piece", () => {
  const { head, read } = reader(LARGE.subarray(0, 17_000), LARGE);
  const first = [read(), read(), read(), read()];

  head.expect();

  expect(first.map((piece) => piece?.length)).toEqual([16_384, 256, 256, 104]);
  expect(read()).toHaveLength(16_384);
});
