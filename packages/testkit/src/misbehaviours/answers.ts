/** Endpoints with an odd status, odd informational answers, redirects and `Retry-After`. */
import { OK, saying, sayingLast, type Misbehaviour } from "../misbehaviour.ts";

const YEAR_S = 365 * 24 * 3_600;

function retryAfter(
  does: string,
  status: 429 | 503,
  value: () => string,
): Misbehaviour {
  return {
    does: `answers ${status} with a Retry-After ${does}`,
    outcome: "http_error",
    behave: async ({ socket, request }) => {
      for (;;) {
        await request();
        socket.write(
          `HTTP/1.1 ${status} Later\r\nretry-after: ${value()}\r\ncontent-length: 0\r\n\r\n`,
        );
      }
    },
  };
}

function redirect(status: number): Misbehaviour {
  return {
    does: `redirects with ${status} to an internal address (169.254.169.254)`,
    outcome: "redirect",
    behave: saying(
      `HTTP/1.1 ${status} Moved\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n`,
    ),
  };
}

export const STATUSES = {
  "status-000": {
    does: "answers with the status 000",
    outcome: "protocol_error",
    behave: saying("HTTP/1.1 000 Zero\r\ncontent-length: 0\r\n\r\n"),
  },
  "status-999": {
    does: "answers with the status 999",
    outcome: "http_error",
    behave: saying("HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"),
  },
  "status-2000": {
    does: "answers with a status of four digits",
    outcome: "protocol_error",
    behave: saying("HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok"),
  },
  gone: {
    does: "answers 410, which disables a registered endpoint",
    outcome: "http_error",
    behave: saying("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"),
  },
  "early-413": {
    does: "answers 413 at the first bytes of a request, without reading the rest",
    outcome: "http_error",
    behave: ({ socket }) =>
      void socket.once("data", () =>
        socket.write(
          "HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
      ),
  },
  "unsolicited-100": {
    does: "answers 100 Continue, though nobody asked, then 200",
    outcome: "delivered",
    behave: saying(`HTTP/1.1 100 Continue\r\n\r\n${OK}`),
  },
  "early-hints": {
    does: "answers 103 Early Hints, then 200",
    outcome: "delivered",
    behave: saying(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`),
  },
  "switching-protocols": {
    does: "answers 101, as if an upgrade to WebSocket had been asked for",
    outcome: "protocol_error",
    behave: saying(
      "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    ),
  },
  "http-1.0": {
    does: "answers 200 in HTTP/1.0 and ends the connection",
    outcome: "delivered",
    behave: sayingLast("HTTP/1.0 200 OK\r\n\r\nhi"),
  },
  "redirect-301": redirect(301),
  "redirect-302": redirect(302),
  "redirect-303": redirect(303),
  "redirect-307": redirect(307),
  "redirect-308": redirect(308),
  "redirect-to-itself": {
    does: "redirects with 302 to itself, without end",
    outcome: "redirect",
    behave: saying(
      "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    ),
  },
  "retry-after-seconds": retryAfter("of 60 seconds", 429, () => "60"),
  "retry-after-date": retryAfter("that is a date in a minute", 503, () =>
    new Date(Date.now() + 60_000).toUTCString(),
  ),
  "retry-after-negative": retryAfter("of -5 (ignored)", 429, () => "-5"),
  "retry-after-10-years": retryAfter(
    "of ten years (taken as 24 hours)",
    503,
    () => String(10 * YEAR_S),
  ),
  "retry-after-garbage": retryAfter(
    "that is no time (ignored)",
    503,
    () => "soon",
  ),
} as const satisfies Record<string, Misbehaviour>;
