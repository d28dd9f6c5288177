import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { verify } from "@postrider/signing";

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

/** An HTTP server that takes webhooks and tells of each. Rejects when the port is taken. */
export async function startReceiver(
  options: ReceiverOptions,
): Promise<Receiver> {
  const seen = new Map<string, number>();
  let count = 0;
  const server = createServer((request, response) => {
    const receivedAt = new Date().toISOString();
    void bodyOf(request).then((body) => {
      if (body === null) return; // it went away in mid-body
      count += 1;
      const status = count <= options.failFirst ? 500 : options.status;
      const id = one(request.headers["webhook-id"]);
      const times = (seen.get(id ?? "") ?? 0) + 1;
      if (id !== null) seen.set(id, times);
      options.onRequest({
        receivedAt,
        method: request.method ?? "",
        path: request.url ?? "",
        webhookId: id,
        timesSeen: id === null ? 1 : times,
        ...judge(request.headers, body, options.secrets),
        status,
        headers: request.headers,
        body: textOf(body),
      });
      setTimeout(() => response.writeHead(status).end(), options.slowMs);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
    return Buffer.concat(chunks);
  } catch {
    return null;
  }
}

function judge(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secrets: readonly string[],
): Pick<ReceivedRequest, "signature" | "signatureError"> {
  if (secrets.length === 0)
    return { signature: "not checked", signatureError: null };
  const judged = verify({ headers, body, secrets });
  return judged.ok
    ? { signature: "right", signatureError: null }
    : { signature: "wrong", signatureError: judged.message };
}

function one(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** Text where the bytes are UTF-8, else base64. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    return `base64:${Buffer.from(bytes).toString("base64")}`;
  }
}
