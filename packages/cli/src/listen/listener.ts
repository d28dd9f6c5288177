/**
 * The HTTP server of `listen`: checks the signature of each delivery, passes it on, and answers with what the service
 * answered. Invariant: only what the endpoint's secret has signed is passed on; the address may be open to anybody.
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { verify } from "@postrider/signing";
import { textOf } from "../show-record.ts";
import type { Answer, Delivered } from "./forward.ts";

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** The endpoint's secret; empty until the endpoint is there, and then nothing is accepted. */
  readonly secret: () => string;
  /** The type of every delivery, where the endpoint wants one type alone. */
  readonly onlyType: string | null;
  /** Null: nobody is asked, and the answer is 200. */
  readonly forward: ((delivered: Delivered) => Promise<Answer>) | null;
  readonly onDelivery: (seen: Seen) => void;
}

/** One delivery, as it is printed. */
export interface Seen {
  readonly receivedAt: string;
  /** As the request says it: CloudEvents' `ce-type`, or `type` of a JSON payload. A webhook need not say it; then null. */
  readonly eventType: string | null;
  readonly webhookId: string | null;
  /** How often this webhook-id has come since the command began, including this time. */
  readonly timesSeen: number;
  readonly method: string;
  /** Not checked: the body was too long, or the endpoint not there yet. */
  readonly signature: "right" | "wrong" | "not checked";
  /** The status of our answer. */
  readonly status: number;
  /** What the service answered; null where it was not asked, or gave no answer. */
  readonly forwardStatus: number | null;
  /** From the last byte of the request until our answer. */
  readonly durationMs: number;
  /** Why it was not passed on, or has no answer; null where all is well. */
  readonly error: string | null;
  /** As text if it is UTF-8, else base64 after `base64:`. */
  readonly body: string;
}

export interface Listener {
  /** `http://HOST:PORT`, without a slash at the end. */
  readonly url: string;
  /** Stops listening, lets what is under way be answered for `graceMs`, and ends every connection. */
  stop(graceMs: number): Promise<void>;
}

/** Payloads are at most 256 KiB unless the operator has raised that. */
const MAX_BODY_BYTES = 4 * 1_024 * 1_024;
/** Bounds memory together with the longest body. */
const MAX_CONNECTIONS = 64;
/** How many ids are remembered; later ones are not counted. */
const MAX_IDS = 100_000;

/** Rejects when the port is taken. */
export async function startListener(
  options: ListenerOptions,
): Promise<Listener> {
  const countOf = counter();
  const server = createServer((request, response) => {
    take(options, countOf, { request, response }).catch(() =>
      // The sender went away in the middle of its request, so there is nobody to answer.
      request.socket.destroy(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  const { host } = options;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    async stop(graceMs) {
      const closed = new Promise((resolve) => server.close(resolve));
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.closeIdleConnections();
      await closed;
      clearTimeout(timer);
    },
  };
}

async function take(
  options: ListenerOptions,
  countOf: (id: string | null) => number,
  {
    request,
    response,
  }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const body = await bodyOf(request);
  const since = performance.now();
  const receivedAt = new Date().toISOString();
  const webhookId = headerOf(request, "webhook-id");
  const { answer, signature, problem } = await judged(options, request, body);
  if (response.destroyed) return; // closed on while the service was asked; Postrider takes it for a failure
  response.writeHead(answer.status, answer.headers).end(answer.body);
  const isAsked = signature === "right" && options.forward !== null;
  options.onDelivery({
    receivedAt,
    eventType: options.onlyType ?? typeOf(request, body),
    webhookId,
    timesSeen: countOf(webhookId),
    method: request.method ?? "",
    signature,
    status: answer.status,
    forwardStatus: isAsked && answer.error === null ? answer.status : null,
    durationMs: Math.round(performance.now() - since),
    error: problem ?? answer.error,
    body: body === null ? "" : textOf(body),
  });
}

interface Judged extends Pick<Seen, "signature"> {
  readonly answer: Answer;
  /** Why the request is not taken for a delivery; null if it is one. */
  readonly problem: string | null;
}

async function judged(
  { secret, forward }: ListenerOptions,
  request: IncomingMessage,
  body: Buffer | null,
): Promise<Judged> {
  const unchecked = (status: number, problem: string): Judged => ({
    answer: bare(status),
    signature: "not checked",
    problem,
  });
  if (body === null)
    return unchecked(413, `its body has more than ${MAX_BODY_BYTES} bytes`);
  if (secret() === "") return unchecked(503, "the endpoint is not there yet");
  const { headers, rawHeaders, method = "" } = request;
  const verified = verify({ headers, body, secrets: [secret()] });
  if (!verified.ok)
    return {
      answer: bare(401),
      signature: "wrong",
      problem: verified.message,
    };
  const answer =
    forward === null ? bare(200) : await forward({ method, rawHeaders, body });
  return { answer, signature: "right", problem: null };
}

function bare(status: number): Answer {
  return { status, headers: {}, body: Buffer.alloc(0), error: null };
}

/** Null where it is too long; the rest is read and forgotten, so that the answer arrives. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength; // no encoding is set
    if (bytes > MAX_BODY_BYTES) chunks = [];
    else chunks.push(chunk as Buffer);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

function typeOf(request: IncomingMessage, body: Buffer | null): string | null {
  const given = headerOf(request, "ce-type");
  if (given !== null || body === null) return given;
  try {
    const payload: unknown = JSON.parse(body.toString("utf8"));
    if (typeof payload !== "object" || payload === null) return null;
    const { type } = payload as { readonly type?: unknown };
    return typeof type === "string" ? type : null;
  } catch {
    return null; // it is not JSON
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" ? value : null;
}

function counter(): (id: string | null) => number {
  const timesSeen = new Map<string, number>();
  return (id) => {
    if (id === null) return 1;
    const times = (timesSeen.get(id) ?? 0) + 1;
    if (timesSeen.size >= MAX_IDS) timesSeen.clear();
    timesSeen.set(id, times);
    return times;
  };
}
