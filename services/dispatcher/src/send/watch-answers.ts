/** Puts an AnswerHead between a socket and undici. */
import type { Socket } from "node:net";
import type { AnswerHead } from "./answer-head.ts";
import { AnswerTooLongError } from "./classify-failure.ts";

const NOTHING = Buffer.alloc(0);

/**
 * Passes everything read from `socket` through `head`, in pieces, and closes the socket once that is too long; nothing more passes once the
 * socket is destroyed. Replaces `socket.read`, because undici reads only by `socket.read()`.
 */
export function watchAnswers(socket: Socket, head: AnswerHead): void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  let rest: Buffer = NOTHING;
  socket.read = (size?: number): Buffer | null => {
    let bytes: Buffer = rest;
    rest = NOTHING;
    if (bytes.length > 0 && socket.destroyed) return null;
    while (bytes.length === 0) {
      const chunk = read(size);
      if (chunk === null) return null;
      bytes = head.take(chunk);
      if (head.isTooLong) {
        socket.destroy(new AnswerTooLongError("more than 512 KiB arrived"));
        return null;
      }
    }
    const most = head.pieceBytes();
    if (bytes.length > most) rest = bytes.subarray(most);
    const piece = bytes.length > most ? bytes.subarray(0, most) : bytes;
    head.passed(piece.length);
    return piece;
  };
}
