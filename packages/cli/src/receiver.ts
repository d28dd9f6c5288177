import type { IncomingHttpHeaders } from "node:http";
import { verify } from "@postrider/signing";
import {
  startReceiver as startRecording,
  type ReceivedRequest as Recorded,
} from "@postrider/testkit";
import { textOf } from "./show-record.ts";

export interface ReceiverOptions {
  /** The address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** The secrets that may have signed; empty: signatures are not checked. */
  readonly secrets: readonly string[];
  /** How many requests are answered with 500 before the others. */
  readonly failFirst: number;
  /** The wait before each answer (ms). */
  readonly slowMs: number;
  /** The status of every other answer. */
  readonly status: number;
  readonly onRequest: (request: ReceivedRequest) => void;
}

/** One request, as it is printed. */
export interface ReceivedRequest {
  readonly receivedAt: string;
  readonly method: string;
  readonly path: string;
  readonly webhookId: string | null;
  /** How often this webhook-id has come so far, including this request. */
  readonly timesSeen: number;
  readonly signature: "right" | "wrong" | "not checked";
  /** Why the signature is wrong; null when it is not. */
  readonly signatureError: string | null;
  /** The status of our answer; null if the receiver misbehaves instead. */
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  /** As text if it is UTF-8, else base64 after `base64:`. */
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** How many ids are remembered, to bound memory; later ones are not counted. */
const MAX_SEEN = 100_000;

/** An HTTP server that accepts webhooks and reports each. Rejects when the port is taken. */
export async function startReceiver(
  options: ReceiverOptions,
): Promise<Receiver> {
  const seen = witness(options.secrets);
  const receiver = await startRecording({
    ...(options.host !== undefined && { host: options.host }),
    port: options.port,
    keepsRequests: false,
    answer(request, nth) {
      const judged = seen(request);
      const status = statusOf(nth, judged.signature, options);
      options.onRequest({ ...judged, status });
      return { status, delayMs: options.slowMs };
    },
  });
  return { url: receiver.url, stop: () => receiver.close() };
}

/** Turns each request into what is printed of it, without the status of an answer, and counts how often its webhook-id has come. */
export function witness(
  secrets: readonly string[],
): (request: Omit<Recorded, "connection" | "rawHeaders">) => ReceivedRequest {
  const timesSeen = new Map<string, number>();
  return (request) => {
    const id = request.headers["webhook-id"] ?? null;
    const times = (timesSeen.get(id ?? "") ?? 0) + 1;
    if (timesSeen.size >= MAX_SEEN) timesSeen.clear();
    if (id !== null) timesSeen.set(id, times);
    return {
      receivedAt: new Date(request.at).toISOString(),
      method: request.method,
      path: request.path,
      webhookId: id,
      timesSeen: id === null ? 1 : times,
      ...judge(request, secrets),
      status: null,
      headers: request.headers,
      body: textOf(request.body),
    };
  };
}

/** Refuses a wrong signature with 401, as a real receiver should. */
function statusOf(
  nth: number,
  signature: ReceivedRequest["signature"],
  options: ReceiverOptions,
): number {
  if (nth <= options.failFirst) return 500;
  return signature === "wrong" ? 401 : options.status;
}

function judge(
  { headers, body }: Pick<Recorded, "headers" | "body">,
  secrets: readonly string[],
): Pick<ReceivedRequest, "signature" | "signatureError"> {
  if (secrets.length === 0)
    return { signature: "not checked", signatureError: null };
  const judged = verify({ headers, body, secrets });
  return judged.ok
    ? { signature: "right", signatureError: null }
    : { signature: "wrong", signatureError: judged.message };
}
