import type { IncomingHttpHeaders } from "node:http";
import { verify } from "@postrider/signing";
import {
  startReceiver as startRecording,
  type ReceivedRequest as Recorded,
} from "@postrider/testkit";
import { textOf } from "./show-record.ts";

export interface ReceiverOptions {
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
  /** The status of our answer. */
  readonly status: number;
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
