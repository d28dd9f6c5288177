import type { IncomingHttpHeaders } from "node:http";
import { verify } from "@postrider/signing";
import {
  startReceiver as startRecording,
  type ReceivedRequest as Recorded,
} from "@postrider/testkit";
import { textOf } from "./show-record.ts";

export interface ReceiverOptions {
  readonly port: number;
  /** Whatever may have signed; empty: signatures are not checked. */
  readonly secrets: readonly string[];
  /** The first so many requests are answered with 500. */
  readonly failFirst: number;
  /** Wait before each answer. */
  readonly slowMs: number;
  /** The answer otherwise. */
  readonly status: number;
  readonly onRequest: (request: ReceivedRequest) => void;
}

/** One request, as it is printed. */
export interface ReceivedRequest {
  readonly receivedAt: string;
  readonly method: string;
  readonly path: string;
  readonly webhookId: string | null;
  /** How often this webhook-id has come so far, this one included. */
  readonly timesSeen: number;
  readonly signature: "right" | "wrong" | "not checked";
  /** Why a signature is wrong. */
  readonly signatureError: string | null;
  /** What was answered. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As text, where it is UTF-8; else base64 after `base64:`. */
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** So many ids are remembered, then none. */
const MAX_SEEN = 100_000;

/** An HTTP server that takes webhooks and tells of each. Rejects when the port is taken. */
export async function startReceiver(
  options: ReceiverOptions,
): Promise<Receiver> {
  const timesSeen = new Map<string, number>();
  const receiver = await startRecording({
    port: options.port,
    keepsRequests: false,
    answer(request, nth) {
      const judged = judge(request, options.secrets);
      const status = statusOf(nth, judged.signature, options);
      const id = request.headers["webhook-id"] ?? null;
      const times = (timesSeen.get(id ?? "") ?? 0) + 1;
      if (timesSeen.size >= MAX_SEEN) timesSeen.clear();
      if (id !== null) timesSeen.set(id, times);
      options.onRequest({
        receivedAt: new Date(request.at).toISOString(),
        method: request.method,
        path: request.path,
        webhookId: id,
        timesSeen: id === null ? 1 : times,
        ...judged,
        status,
        headers: request.headers,
        body: textOf(request.body),
      });
      return { status, delayMs: options.slowMs };
    },
  });
  return { url: receiver.url, stop: () => receiver.close() };
}

/** As a receiver should: what nobody signed is refused. */
function statusOf(
  nth: number,
  signature: ReceivedRequest["signature"],
  options: ReceiverOptions,
): number {
  if (nth <= options.failFirst) return 500;
  return signature === "wrong" ? 401 : options.status;
}

function judge(
  { headers, body }: Recorded,
  secrets: readonly string[],
): Pick<ReceivedRequest, "signature" | "signatureError"> {
  if (secrets.length === 0)
    return { signature: "not checked", signatureError: null };
  const judged = verify({ headers, body, secrets });
  return judged.ok
    ? { signature: "right", signatureError: null }
    : { signature: "wrong", signatureError: judged.message };
}
