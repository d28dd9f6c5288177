/** What sending one attempt gave. */
import type { Outcome } from "@postrider/core";
import type { Failure } from "./classify-failure.ts";

/** What one attempt showed. `error` is null unless something went wrong, also after a 2xx. */
export interface AttemptResult {
  readonly kind: "attempted";
  readonly outcome: Outcome;
  readonly statusCode: number | null;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly durationMs: number;
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly ttfbMs: number;
  readonly isReused: boolean;
  readonly responseBytes: number;
  readonly responseBody: Buffer;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly retryAfter: string | null;
  /** The status came in time and the body did not: the rest of the body was not waited for. */
  readonly isBodyCut: boolean;
  /** Resolves when the socket of an attempt that timed out before it was sent is really gone; null: it is gone already. */
  readonly released: Promise<void> | null;
}

/** Ours, not the endpoint's: descriptors or ports are used up. */
export type LocalFault = Extract<Failure, { kind: "local_fault" }>;

export type SendResult = AttemptResult | LocalFault;

/** A URL that policy refuses counts as an attempt that was blocked; nothing was opened. */
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
    responseBytes: 0,
    responseBody: Buffer.alloc(0),
    responseHeaders: {},
    retryAfter: null,
    isBodyCut: false,
    released: null,
  };
}
