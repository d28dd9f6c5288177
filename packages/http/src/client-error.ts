import type { Socket } from "node:net";

const ANSWERS: Readonly<
  Record<string, readonly [status: number, reason: string, detail: string]>
> = {
  HPE_HEADER_OVERFLOW: [
    431,
    "Request Header Fields Too Large",
    "The request's headers are too large.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    "Request Timeout",
    "The request did not arrive in time.",
  ],
};
const MALFORMED = [400, "Bad Request", "This is not valid HTTP."] as const;

/** Answers what node:http could not read with a problem document (RFC 9457), as every other refusal is, and ends the connection. */
export function answerClientError(
  error: { readonly code?: string | undefined },
  socket: Pick<Socket, "writable" | "end" | "destroy">,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, detail] = ANSWERS[error.code ?? ""] ?? MALFORMED;
  const body = JSON.stringify({
    type: "urn:postrider:problem:bad-request",
    title: "The request cannot be read",
    status,
    detail,
    errors: [],
  });
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
