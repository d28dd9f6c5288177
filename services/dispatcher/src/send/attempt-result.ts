/** The result of sending one attempt. */
import type { Outcome } from "@postrider/core";
import type { Failure } from "./classify-failure.ts";

/** What one attempt showed. `error` is null unless something went wrong; it may be set after a 2xx too, such as a body that broke off. */
export interface AttemptResult {
  readonly kind: "attempted";
  readonly outcome: Outcome;
  readonly statusCode: number | null;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** The phases of opening the connection, 0 unless it was opened for this attempt. These, `isReused` and `remoteAddress` tell of the connection over which the request last began. */
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly ttfbMs: number;
  readonly isReused: boolean;
  /** The IP address to which that connection's socket was connected; the port is the URL's. Null where the request never began: nothing was resolved or connected, or the TLS handshake failed. Tenants must not see it. */
  readonly remoteAddress: string | null;
  readonly responseBytes: number;
  readonly responseBody: Buffer;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly retryAfter: string | null;
  /** The status arrived in time, but the body did not end in time: the rest of the body was not read. */
  readonly isBodyLate: boolean;
  /** Set for an attempt that timed out before its request was sent: resolves when its socket is closed. Otherwise null. */
  readonly released: Promise<void> | null;
}

/** A fault of this process, not of the endpoint: descriptors or ports are used up. Nothing was sent. */
export type LocalFault = Extract<Failure, { kind: "local_fault" }>;

export type SendResult = AttemptResult | LocalFault;

/** The result for a URL that the policy refuses: a `blocked` attempt. No connection was opened. */
export function refusedResult(message: string): AttemptResult {
  return {
    kind: "attempted",
    outcome: "blocked",
    statusCode: null,
    errorCode: "POSTRIDER_BLOCKED",
    error: message,
    durationMs: 0,
    dnsMs: 0,
    connectMs: 0,
    tlsMs: 0,
    ttfbMs: 0,
    isReused: false,
    remoteAddress: null,
    responseBytes: 0,
    responseBody: Buffer.alloc(0),
    responseHeaders: {},
    retryAfter: null,
    isBodyLate: false,
    released: null,
  };
}
