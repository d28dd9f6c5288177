/**
 * What an exchange has seen of the answer: status, headers, and the beginning of the body.
 *
 * Invariant: the status code is 0 until a final status was seen, and then never changes. However small the pieces in which a
 * hostile endpoint sends its body, the kept part is one buffer of at most 16 KiB.
 */
import { classifyStatus, type Outcome } from "@postrider/core";
import {
  classifyError,
  isProtocolError,
  ProtocolError,
  type Failure,
} from "./classify-failure.ts";
import type { AttemptResult } from "./attempt-result.ts";
import { keepResponseHeaders } from "./response-headers.ts";

/** Kept of a response body. */
const KEPT_BODY_BYTES = 16_384;
/** Read of a response body before the connection is given up: a body a little too long should not cost a keep-alive connection. */
const READ_BODY_BYTES = 65_536;
const NO_BODY = Buffer.alloc(0);

export type AnswerHeaders = Readonly<
  Record<string, string | string[] | undefined>
>;

/** The part of an attempt's result that the answer decides. */
export type AnswerResult = Pick<
  AttemptResult,
  | "outcome"
  | "statusCode"
  | "errorCode"
  | "error"
  | "responseBytes"
  | "responseBody"
  | "responseHeaders"
  | "retryAfter"
>;

export class ResponseSoFar {
  #statusCode = 0;
  #headers: AnswerHeaders | null = null;
  #kept = NO_BODY;
  #keptBytes = 0;
  #readBytes = 0;
  #flaw: ProtocolError | null = null;

  get isAnswered(): boolean {
    return this.#statusCode !== 0;
  }

  /** The framing breaks HTTP, though undici took the answer: where the next one would begin is not sure. */
  get isFlawed(): boolean {
    return this.#flaw !== null;
  }

  /** A final status. undici lets pass one below 100, which is none: then the error, and nothing was seen. */
  start(statusCode: number, headers: AnswerHeaders): ProtocolError | null {
    if (statusCode < 100) return new ProtocolError("the status is below 100");
    this.#statusCode = statusCode;
    this.#headers = headers;
    this.#flaw = framingFlaw(statusCode, headers);
    return null;
  }

  /** More of the body; false once enough was read. Copies: a chunk is a view of the socket's read buffer, which would stay in memory with it. */
  data(chunk: Buffer): boolean {
    this.#readBytes += chunk.length;
    if (this.#statusCode === 205) this.#flaw ??= withBody(205);
    const bytes = Math.min(chunk.length, KEPT_BODY_BYTES - this.#keptBytes);
    if (bytes > 0) this.#keep(chunk, bytes);
    return this.#readBytes <= READ_BODY_BYTES;
  }

  /** A failure after a final status, or a flaw of the answer, is noted and changes nothing. */
  result(broken: Failure | null): AnswerResult {
    const failure =
      broken ?? (this.#flaw === null ? null : classifyError(this.#flaw));
    return {
      outcome: this.#outcome(failure),
      statusCode: this.isAnswered ? this.#statusCode : null,
      errorCode: failure?.errorCode ?? null,
      error: this.#errorText(failure),
      responseBytes: this.#readBytes,
      responseBody: this.#kept.subarray(0, this.#keptBytes),
      responseHeaders:
        this.#headers === null ? {} : keepResponseHeaders(this.#headers),
      retryAfter: single(this.#headers?.["retry-after"]),
    };
  }

  #keep(chunk: Buffer, bytes: number): void {
    const needed = this.#keptBytes + bytes;
    if (needed > this.#kept.length) {
      const size = Math.max(needed, this.#kept.length * 2);
      const larger = Buffer.allocUnsafe(Math.min(size, KEPT_BODY_BYTES));
      this.#kept.copy(larger, 0, 0, this.#keptBytes);
      this.#kept = larger;
    }
    chunk.copy(this.#kept, this.#keptBytes, 0, bytes);
    this.#keptBytes = needed;
  }

  #outcome(failure: Failure | null): Outcome {
    return this.isAnswered || failure?.kind !== "outcome"
      ? classifyStatus(this.#statusCode)
      : failure.outcome;
  }

  #errorText(failure: Failure | null): string | null {
    if (failure === null) return null;
    if (!this.isAnswered) return failure.error;
    return isProtocolError(failure)
      ? `the answer breaks HTTP: ${failure.error}`
      : `the body broke off: ${failure.error}`;
  }
}

/** A 204, 205 or 304 that announces a body: where it ends, sender and receiver may see differently. */
function framingFlaw(
  statusCode: number,
  headers: AnswerHeaders,
): ProtocolError | null {
  if (statusCode !== 204 && statusCode !== 205 && statusCode !== 304)
    return null;
  const length = single(headers["content-length"]);
  // A 304 may name the length its body would have had, and a 205 may end an empty body by its last chunk.
  const hasBody =
    (statusCode !== 205 && headers["transfer-encoding"] !== undefined) ||
    (statusCode !== 304 && length !== null && length !== "0");
  return hasBody ? withBody(statusCode) : null;
}

function withBody(statusCode: number): ProtocolError {
  return new ProtocolError(`a ${statusCode} with a body`);
}

function single(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === "string" ? value : (value[0] ?? null);
}
