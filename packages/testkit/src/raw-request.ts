import { connect, type Socket } from "node:net";
import { waitFor } from "./wait-for.ts";

/** A client connection that writes exactly the given bytes and keeps what comes back. */
export interface RawClient {
  readonly socket: Socket;
  answer(): string;
  /** Resolves once the other side has ended the connection. */
  readonly closed: Promise<void>;
}

export function rawClient(url: string): RawClient {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  const answer: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => answer.push(chunk));
  socket.on("error", () => undefined); // a reset is no failure: the test looks at what came before it
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => resolve()),
  );
  return { socket, answer: () => Buffer.concat(answer).toString(), closed };
}

export interface RawAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Splits the first answer in a text into its parts; its body is everything after the headers. */
export function parseRawAnswer(text: string): RawAnswer {
  const [head = "", ...body] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [
          line.slice(0, colon).toLowerCase(),
          line.slice(colon + 1).trim(),
        ];
      }),
    ),
    body: body.join("\r\n\r\n"),
  };
}

/** A refusal as a client sees it. */
export interface RawProblem {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly document: Readonly<Record<string, unknown>>;
  /** The document names the request id of the answer's header. */
  readonly isNamed: boolean;
}

/** Sends these bytes as the first request of a connection, and reads the problem document of the answer. */
export async function rawProblem(
  url: string,
  request: string,
): Promise<RawProblem> {
  const { socket, answer, closed } = rawClient(url);
  socket.write(request, "latin1");
  const { status, headers, body } = await waitFor(() => {
    const parsed = parseRawAnswer(answer());
    const length = Number(parsed.headers["content-length"]);
    return Buffer.byteLength(parsed.body) === length && parsed;
  });
  socket.destroy();
  await closed;
  const document = JSON.parse(body) as Record<string, unknown>;
  const isNamed = document["requestId"] === headers["x-request-id"];
  return { status, contentType: headers["content-type"], document, isNamed };
}

/**
 * Requests that a server refuses before it looks for a route, so that no handler sees them, with the status of the answer.
 * Each is the first request of a connection. `key` is inserted into those that carry a bearer key.
 */
export function unreadableRequests(
  key: string,
): readonly (readonly [what: string, request: string, status: number])[] {
  const known = `host: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
  const post = `POST /v1/events HTTP/1.1\r\n${known}`;
  return [
    ["no HTTP", "GARBAGE\r\n\r\n", 400],
    ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000", 400],
    ["HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["no host", "GET /v1/status HTTP/1.1\r\n\r\n", 400],
    ["a bad path", `GET /% HTTP/1.1\r\n${known}\r\n`, 400],
    ["a bad id", `GET /v1/events/%E0%A4%A HTTP/1.1\r\n${known}\r\n`, 400],
    ["a bad header", "GET / HTTP/1.1\r\nhost: x\r\nb@d name: x\r\n\r\n", 400],
    [
      "two lengths",
      `${post}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a bad chunk", `${post}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400],
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n", 400],
    [
      "an expectation",
      "GET / HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\n\r\n",
      417,
    ],
    [
      "large headers",
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
  ];
}
