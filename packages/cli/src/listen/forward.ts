/** Passes a delivery on to the developer's own service, and brings its answer back. */
import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { reasonOf } from "../cli-error.ts";

/** A delivery as it came; `body` is its exact bytes. */
export interface Delivered {
  readonly method: string;
  /** Name, value, name, value …, exactly as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Answer {
  /** What the service answered; 502 if it cannot be reached, 504 if it did not answer in time. */
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** The beginning of its body: an attempt keeps no more. */
  readonly body: Buffer;
  /** Why there is no answer of the service; null where there is one. */
  readonly error: string | null;
}

/** As much of an answer's body as an attempt keeps. */
const MAX_ANSWER_BYTES = 16 * 1_024;

/** What belongs to one connection, not to the request; `host` and `content-length` are made anew. */
const OF_THE_CONNECTION = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What of the answer's headers means something to Postrider. */
const ANSWERED = ["content-type", "retry-after"] as const;

/** Sends the same method, headers and bytes to `url`, and follows no redirect, as Postrider follows none. Never rejects. */
export async function forward(
  url: string,
  delivered: Delivered,
  timeoutMs: number,
): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answered = await sent(url, delivered, signal);
    const headers: OutgoingHttpHeaders = {};
    for (const name of ANSWERED) {
      const value = answered.headers[name];
      if (value !== undefined) headers[name] = value;
    }
    const status = answered.statusCode ?? 502;
    return { status, headers, body: await beginningOf(answered), error: null };
  } catch (error) {
    return signal.aborted
      ? failed(504, `${url} did not answer within ${timeoutMs / 1_000} s`)
      : failed(502, `${url} cannot be reached: ${reasonOf(error)}`);
  }
}

function sent(
  url: string,
  { method, rawHeaders, body }: Delivered,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = start(url, { method, agent: false, signal });
    for (const [name, values] of headersOf(rawHeaders))
      request.setHeader(name, values);
    request.setHeader("content-length", body.byteLength);
    // `on`: an error after the answer began must not be an uncaught one.
    request.on("error", reject).once("response", resolve).end(body);
  });
}

/** The headers with their names as they were written, each with all its values. */
function headersOf(rawHeaders: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (OF_THE_CONNECTION.has(name.toLowerCase())) continue;
    headers.set(name, [...(headers.get(name) ?? []), rawHeaders[at + 1] ?? ""]);
  }
  return headers;
}

/** The status stands once the headers are there: a body that breaks, or does not end in time, is what came of it. */
async function beginningOf(answered: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answered) {
      if (bytes < MAX_ANSWER_BYTES) chunks.push(chunk as Buffer); // no encoding is set
      bytes += (chunk as Buffer).byteLength;
    }
  } catch {
    // As above.
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES);
}

function failed(status: number, error: string): Answer {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return { status, headers, body: Buffer.from(`${error}\n`), error };
}
