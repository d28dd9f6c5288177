/** Endpoints that never answer, answer too slowly, or end the connection. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  closeAfterRequest,
  dripping,
  drippingBody,
  endlessEarlyHints,
  OK,
  resetAfterRequest,
  saying,
  sayingLast,
  silence,
  type Misbehaviour,
} from "../misbehaviour.ts";

const CUT_BODY = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";

export const SLOW = {
  silence: {
    does: "accepts the connection and never answers",
    outcome: "timeout",
    behave: silence,
  },
  "half-status-line": {
    does: "sends half a status line, then nothing",
    outcome: "timeout",
    behave: saying("HTTP/1.1 20"),
  },
  "dripping-headers": {
    does: "sends a header that never ends, a byte every 20 ms",
    outcome: "timeout",
    behave: dripping("HTTP/1.1 200 OK\r\nx: ", "a", 20),
  },
  "endless-103": {
    does: "sends 103 Early Hints every 50 ms and never an answer",
    outcome: "timeout",
    behave: endlessEarlyHints,
  },
  "hang-before-body": {
    does: "answers 200 and a length, and never sends the body",
    outcome: "delivered",
    behave: saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"),
  },
  "dripping-body": {
    does: "answers 200 with a body of 1 MB, a byte every 50 ms",
    outcome: "delivered",
    behave: drippingBody,
  },
  "dripping-chunks": {
    does: "answers 200 with a body in chunks of one byte, every 50 ms, without end",
    outcome: "delivered",
    behave: dripping(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
      "1\r\nx\r\n",
      50,
    ),
  },
} as const satisfies Record<string, Misbehaviour>;

export const CUT = {
  "close-on-accept": {
    does: "ends the connection (FIN) as soon as it is open",
    outcome: "connection_closed",
    behave: ({ socket }) => void socket.end(),
  },
  "close-after-request": {
    does: "reads the request and ends the connection (FIN)",
    outcome: "connection_closed",
    behave: closeAfterRequest,
  },
  "close-in-headers": {
    does: "ends the connection (FIN) in the middle of its headers",
    outcome: "connection_closed",
    behave: sayingLast("HTTP/1.1 200 OK\r\ncontent-le"),
  },
  "close-in-body": {
    does: "answers 200 and ends the connection (FIN) in the middle of the body",
    outcome: "delivered",
    behave: sayingLast(CUT_BODY),
  },
  "reset-on-accept": {
    does: "resets the connection (RST) as soon as it is open",
    outcome: "connection_reset",
    behave: ({ socket }) => void socket.resetAndDestroy(),
  },
  "reset-after-request": {
    does: "reads the request and resets the connection (RST)",
    outcome: "connection_reset",
    behave: resetAfterRequest,
  },
  "reset-in-body": {
    does: "answers 200 and resets the connection (RST) in the middle of the body",
    outcome: "delivered",
    behave: async ({ socket, request }) => {
      await request();
      socket.write(CUT_BODY);
      // A reset makes the other side's kernel drop what was not read yet. In steps: a test's sender shares our event loop,
      // and each turn reads its socket.
      for (let step = 0; step < 10; step += 1) await sleep(10);
      socket.resetAndDestroy();
    },
  },
  "reset-when-reused": {
    does: "answers the first request of a connection and resets it (RST) at the second, as if an idle connection had died meanwhile",
    outcome: "delivered",
    behave: async ({ socket, request }) => {
      await request();
      socket.write(OK);
      await request();
      socket.resetAndDestroy();
    },
  },
} as const satisfies Record<string, Misbehaviour>;
