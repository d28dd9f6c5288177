/**
 * Turns a system, TLS, DNS or undici error into an outcome. This is the only place that does.
 * Where an error's own message could contain a resolved address, a text from here replaces it: tenants must not see
 * resolved addresses.
 */
import type { Outcome } from "@postrider/core";

/** Why no final status was received, or what broke or cut the answer after it. `local_fault` is a fault of this process (descriptors or ports used up): no attempt is spent, unless the request had been sent before. */
export type Failure =
  | {
      readonly kind: "outcome";
      readonly outcome: Exclude<
        Outcome,
        "delivered" | "http_error" | "redirect"
      >;
      readonly errorCode: string;
      readonly error: string;
    }
  | {
      readonly kind: "local_fault";
      readonly errorCode: string;
      readonly error: string;
    };

/** The guard refused the host, every resolved address, or the connected address. */
export class BlockedError extends Error {
  readonly code = "POSTRIDER_BLOCKED";
}

/** The attempt's deadline passed. The exchange is aborted, or its connecting socket destroyed, with this error. */
export class DeadlineError extends Error {
  readonly code = "POSTRIDER_DEADLINE";
}

/** The status arrived, but the body did not end within the time allowed after the status. */
export class BodyLateError extends Error {
  readonly code = "POSTRIDER_BODY_CUT";
}

/** More than 64 KiB of the body arrived (response.ts). It only closes the connection: the attempt is settled before, without an error. */
export class BodyCapError extends Error {
  readonly code = "POSTRIDER_BODY_CAP";
}

/** More of the answer arrived than any answer needs, its framing included (answer-head.ts). */
export class AnswerTooLongError extends Error {
  readonly code = "POSTRIDER_ANSWER_TOO_LONG";
}

/** The response breaks HTTP in a way that undici accepts. */
export class ProtocolError extends Error {
  readonly code = "POSTRIDER_PROTOCOL";
}

/** Whether the answer's bytes broke HTTP. False for an answer that was cut off. */
export function isProtocolError(failure: Failure): boolean {
  return failure.kind === "outcome" && failure.outcome === "protocol_error";
}

/** Whether more of the answer came than is read. */
export function isTooLarge(failure: Failure): boolean {
  return failure.kind === "outcome" && failure.outcome === "response_too_large";
}

/** Whether closing idle connections may help: no descriptor or buffer was left for a socket. */
export function isShortage(failure: Failure): boolean {
  return failure.kind === "local_fault" && SHORTAGES.has(failure.errorCode);
}

/** Classifies what undici, net, tls or dns reported. Never throws. */
export function classifyError(error: unknown): Failure {
  const faults = constituents(error);
  const local = faults.find(isLocalFault);
  if (local !== undefined) {
    return {
      kind: "local_fault",
      errorCode: codeOf(local),
      error: `this process could not open a connection: ${codeOf(local)}`,
    };
  }
  return classifyOne(faults[0] ?? {});
}

interface Fault {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly syscall?: unknown;
  readonly address?: unknown;
  readonly errors?: unknown;
}

type FailedOutcome = Extract<Failure, { kind: "outcome" }>["outcome"];

const BY_CODE: Readonly<Record<string, readonly [FailedOutcome, string]>> = {
  POSTRIDER_BLOCKED: ["blocked", "the address is not allowed"],
  POSTRIDER_DEADLINE: ["timeout", "no complete answer within the deadline"],
  POSTRIDER_BODY_CUT: ["timeout", "it was not waited for any longer"],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "no connection within the deadline"],
  UND_ERR_HEADERS_TIMEOUT: [
    "timeout",
    "no complete headers within the deadline",
  ],
  UND_ERR_BODY_TIMEOUT: ["timeout", "the body stopped arriving"],
  ETIMEDOUT: ["timeout", "no connection within the deadline"],
  ECONNREFUSED: ["connection_refused", "connection refused"],
  EHOSTUNREACH: ["connection_refused", "host unreachable"],
  ENETUNREACH: ["connection_refused", "network unreachable"],
  EHOSTDOWN: ["connection_refused", "host down"],
  ENETDOWN: ["connection_refused", "network down"],
  EADDRNOTAVAIL: ["connection_refused", "no route for this address family"],
  EAFNOSUPPORT: ["connection_refused", "address family not supported"],
  EACCES: ["connection_refused", "connection not permitted"],
  EPERM: ["connection_refused", "connection not permitted"],
  ECONNRESET: ["connection_reset", "connection reset by peer"],
  ECONNABORTED: ["connection_reset", "connection aborted"],
  EPIPE: ["connection_reset", "the peer closed while the request was written"],
  POSTRIDER_ANSWER_TOO_LONG: [
    "response_too_large",
    "more than 512 KiB of heads, body and framing",
  ],
  UND_ERR_HEADERS_OVERFLOW: [
    "response_too_large",
    "more than 16 KiB of headers",
  ],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: [
    "response_too_large",
    "the response is too large",
  ],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: [
    "protocol_error",
    "the body does not match its content-length",
  ],
  ERR_ASSERTION: ["protocol_error", "not a valid HTTP response"],
};

const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|ERROR_IN_CERT|CRL_)/;
const DNS_CODE =
  /^(ENOTFOUND|ENODATA|ESERVFAIL|EREFUSED|EFORMERR|ENOTIMP|ETIMEOUT|EBADRESP|EBADNAME|ENONAME|EAI_.*)$/;

function classifyOne(fault: Fault): Failure {
  const code = codeOf(fault);
  const message = typeof fault.message === "string" ? fault.message : "";
  if (isLookUp(fault) || DNS_CODE.test(code)) {
    return failed("dns_error", code, `the name does not resolve: ${code}`);
  }
  if (code === "ECONNRESET" && message.includes("before secure TLS")) {
    return failed(
      "connection_closed",
      code,
      "the peer closed during the TLS handshake",
    );
  }
  if (code === "UND_ERR_SOCKET") return closedOrMalformed(code, message);
  const known = BY_CODE[code];
  if (known !== undefined)
    return failed(known[0], code, detailed(code, known[1], message));
  if (TLS_CODE.test(code)) return failed("tls_error", code, tlsText(code));
  if (code.startsWith("HPE_"))
    return failed("protocol_error", code, clip(message));
  if (code === "POSTRIDER_PROTOCOL")
    return failed("protocol_error", code, clip(message));
  if (code.startsWith("UND_ERR_"))
    return failed("protocol_error", code, clip(message));
  // Anything else is a system error while connecting, reading or writing.
  return failed("connection_closed", code, `the connection failed: ${code}`);
}

/** Whether a name look-up failed. c-ares names its calls `queryA` and `queryAaaa`; an ECONNREFUSED from them means that the name server refused. */
function isLookUp({ syscall }: Fault): boolean {
  return (
    syscall === "getaddrinfo" ||
    (typeof syscall === "string" && syscall.startsWith("query"))
  );
}

/** undici uses one code for several cases: "other side closed" or "closed" for a FIN, "bad response" for an unsolicited 100, "bad upgrade" for a 101. */
function closedOrMalformed(code: string, message: string): Failure {
  if (message.startsWith("bad ")) {
    return failed(
      "protocol_error",
      code,
      `${message}: an answer that was not asked for`,
    );
  }
  return failed(
    "connection_closed",
    code,
    "the peer closed the connection before the answer was complete",
  );
}

function detailed(code: string, text: string, message: string): string {
  return code === "ERR_ASSERTION" && message !== ""
    ? clip(`${text} (${message})`)
    : text;
}

function tlsText(code: string): string {
  return `the TLS handshake failed: ${code}`;
}

/** No descriptor or buffer is left for a socket; closing an idle connection frees one. */
const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS"]);
/** The sender was stopped while the attempt ran: the runner was stopped before, and takes no result any more. */
const STOPPED: ReadonlySet<string> = new Set([
  "UND_ERR_DESTROYED",
  "UND_ERR_CLOSED",
]);

/** A shortage of ports or descriptors is a local fault. But EADDRNOTAVAIL for an IPv6 address only means that this host has no IPv6. */
function isLocalFault(fault: Fault): boolean {
  const code = codeOf(fault);
  if (SHORTAGES.has(code) || STOPPED.has(code)) return true;
  if (code !== "EADDRNOTAVAIL") return false;
  return typeof fault.address !== "string" || !fault.address.includes(":");
}

/** The errors inside an AggregateError (several addresses were tried), or the error itself. A shortage among them decides, else the first. */
function constituents(error: unknown): Fault[] {
  if (error === null || typeof error !== "object")
    return [{ message: String(error) }];
  const fault = error as Fault;
  const parts = Array.isArray(fault.errors) ? (fault.errors as Fault[]) : [];
  return parts.length > 0 ? parts : [fault];
}

function failed(
  outcome: FailedOutcome,
  errorCode: string,
  error: string,
): Failure {
  return { kind: "outcome", outcome, errorCode, error };
}

function codeOf(fault: Fault): string {
  if (typeof fault.code === "string") return fault.code;
  // undici 8 leaves out llhttp's own code; the message has its reason
  return fault.name === "HTTPParserError" ? "HPE_INVALID" : "UNKNOWN";
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
