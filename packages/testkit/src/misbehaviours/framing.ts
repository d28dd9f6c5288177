/** Endpoints whose answer breaks HTTP, or is larger than anybody reads. */
import { gzipSync } from "node:zlib";
import {
  endlessBody,
  flooding,
  OK,
  saying,
  sayingLast,
  type Misbehaviour,
} from "../misbehaviour.ts";

/** 16 MB of zeros, in 16 KB. Made at the first use. */
let bomb: Buffer | undefined;
const aBomb = (): Buffer => (bomb ??= gzipSync(Buffer.alloc(16 << 20)));

export const FRAMING = {
  "no-length": {
    does: "answers 200 with a body without a length, and ends the connection",
    outcome: "delivered",
    behave: sayingLast("HTTP/1.1 200 OK\r\n\r\nhi"),
  },
  "body-not-utf-8": {
    does: "answers 200 with a body that is not UTF-8",
    outcome: "delivered",
    behave: saying(
      Buffer.concat([
        Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"),
        Buffer.from([0xff, 0xfe]),
      ]),
    ),
  },
  "length-and-chunks": {
    does: "answers 200 with both a content-length and chunks",
    outcome: "delivered",
    behave: saying(
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ),
  },
  "two-lengths": {
    does: "answers 200 with two content-lengths that differ",
    outcome: "delivered",
    behave: saying(
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    ),
  },
  "length-of-20-digits": {
    does: "answers 200 with a content-length of 20 digits",
    outcome: "delivered",
    behave: saying(
      "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nok",
    ),
  },
  "negative-length": {
    does: "answers 200 with a content-length of -5",
    outcome: "delivered",
    behave: saying("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nok"),
  },
  "204-with-body": {
    does: "answers 204 and sends a body",
    outcome: "delivered",
    behave: saying("HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok"),
  },
  "bad-chunk": {
    does: "answers 500 with a chunk whose length is no number",
    outcome: "http_error",
    behave: saying(
      "HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n",
    ),
  },
  "line-feeds-only": {
    does: "answers 200 with lines that end in LF alone",
    outcome: "delivered",
    behave: saying("HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
  },
  "folded-header": {
    does: "answers 200 with a header that goes on in the next line",
    outcome: "delivered",
    behave: saying(
      "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok",
    ),
  },
  "nul-in-header": {
    does: "answers 200 with a NUL byte in a header",
    outcome: "delivered",
    behave: saying("HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\nok"),
  },
  "ssh-banner": {
    does: "greets as an SSH server",
    outcome: "protocol_error",
    behave: ({ socket }) => void socket.write("SSH-2.0-OpenSSH_9.7\r\n"),
  },
  "header-of-20-kb": {
    does: "answers 200 with a header of 20 KB",
    outcome: "delivered",
    behave: saying(
      `HTTP/1.1 200 OK\r\nx: ${"a".repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`,
    ),
  },
  "101-with-20-kb": {
    does: "answers 101 with a header of 20 KB and never a final status",
    outcome: "response_too_large",
    behave: saying(
      `HTTP/1.1 101 Switching\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
    ),
  },
  "3000-headers": {
    does: "answers 200 with 3,000 headers",
    outcome: "delivered",
    behave: saying(
      `HTTP/1.1 200 OK\r\n${Array.from({ length: 3_000 }, (_, n) => `x-${n}: v\r\n`).join("")}content-length: 2\r\n\r\nok`,
    ),
  },
  "bytes-after-body": {
    does: "answers 200 and sends a second answer, 500, that nobody asked for",
    outcome: "delivered",
    behave: saying(`${OK}HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n`),
  },
} as const satisfies Record<string, Misbehaviour>;

export const LARGE = {
  "endless-body": {
    does: "answers 200 with a body without a length that never ends, as fast as it is read",
    outcome: "delivered",
    behave: endlessBody,
  },
  "endless-chunks": {
    does: "answers 200 with chunks that never end, as fast as they are read",
    outcome: "delivered",
    behave: flooding(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
      `1000\r\n${"x".repeat(4_096)}\r\n`,
    ),
  },
  "flood-of-103": {
    does: "sends 103 Early Hints, as fast as they are read, and never an answer",
    outcome: "response_too_large",
    behave: flooding(
      "",
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1_024),
    ),
  },
  "body-of-1-gb": {
    does: "answers 200 with a body of 1 GB",
    outcome: "delivered",
    behave: flooding(
      "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n",
      "x".repeat(64 * 1024),
    ),
  },
  "gzip-bomb": {
    does: "answers 200 with 16 KB of gzip that inflate to 16 MB",
    outcome: "delivered",
    behave: async ({ socket, request }) => {
      for (;;) {
        await request();
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${aBomb().length}\r\n\r\n`,
        );
        socket.write(aBomb());
      }
    },
  },
  "nested-encodings": {
    does: "answers 200 with 100 content-encodings, one inside another",
    outcome: "delivered",
    behave: saying(
      `HTTP/1.1 200 OK\r\ncontent-encoding: ${Array<string>(100).fill("gzip").join(", ")}\r\ncontent-length: 2\r\n\r\nok`,
    ),
  },
} as const satisfies Record<string, Misbehaviour>;
