/**
 * What an exchange has received of the answer: status, headers, and the beginning of the body.
 *
 * Invariants: the status code is 0 until a final status was received, and then never changes. The kept part of the body is
 * one buffer of at most 16 KiB, even if a hostile endpoint sends the body byte by byte.
 */
import { classifyStatus, type Outcome } from "@postrider/core";
import {
  classifyError,
  isProtocolError,
  isTooLarge,
  ProtocolError,
  type Failure,
} from "./classify-failure.ts";
import type { AttemptResult } from "./attempt-result.ts";
import { keepResponseHeaders } from "./response-headers.ts";

/** How much of a response body is kept. */
const KEPT_BODY_BYTES = 16_384;
/** How much of a response body is read before the connection is closed. More than is kept, so that a body a little too long does not cost a keep-alive connection. */
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

  /** Whether the framing breaks HTTP though undici accepted the answer. Then it is not certain where the next answer begins, so the connection must not be used again. */
  get isFlawed(): boolean {
    return this.#flaw !== null;
  }

  /** Notes a final status and its headers. undici accepts a status below 100, which is invalid: then returns the error and notes nothing. */
  start(statusCode: number, headers: AnswerHeaders): ProtocolError | null {
    if (statusCode < 100) return new ProtocolError("the status is below 100");
    this.#statusCode = statusCode;
    this.#headers = headers;
    this.#flaw = framingFlaw(statusCode, headers);
    return null;
  }

  /** Notes a piece of the body; false once enough was read. Copies it, because a chunk is a view that would keep the socket's whole read buffer in memory. */
  data(chunk: Buffer): boolean {
    this.#readBytes += chunk.length;
    if (this.#statusCode === 205) this.#flaw ??= withBody(205);
    const bytes = Math.min(chunk.length, KEPT_BODY_BYTES - this.#keptBytes);
    if (bytes > 0) this.#keep(chunk, bytes);
    return this.#readBytes <= READ_BODY_BYTES;
  }

  /** The result. After a final status, a failure or a flaw of the answer is noted in `error` but does not change the outcome. */
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
    if (isTooLarge(failure)) return `the answer is too large: ${failure.error}`;
    return isProtocolError(failure)
      ? `the answer breaks HTTP: ${failure.error}`
      : `the body broke off: ${failure.error}`;
  }
}

/** The flaw of a 204, 205 or 304 that announces a body: the two sides may disagree about where the answer ends. */
function framingFlaw(
  statusCode: number,
  headers: AnswerHeaders,
): ProtocolError | null {
  if (statusCode !== 204 && statusCode !== 205 && statusCode !== 304)
    return null;
  const length = single(headers["content-length"]);
  // Allowed: a 304 with the content-length of the body it leaves out, and a 205 with an empty chunked body.
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
