/** Puts an AnswerHead between a socket and undici, and reads an answer that comes in tiny pieces less often. */
import type { Socket } from "node:net";
import type { AnswerHead } from "./answer-head.ts";
import { PAUSE_MS } from "./answer-pace.ts";
import { AnswerTooLongError } from "./classify-failure.ts";

/**
 * Options for the connecting of a socket that `watchAnswers` watches. At one byte unread, Node stops reading from the kernel until the next `socket.read()`;
 * with its usual 64 KB a socket that is left alone would still cost a read for each piece.
 */
export const WATCHED_SOCKET = { highWaterMark: 1 } as const; // Node's types do not know that connecting takes it

/** The first read after a pause brings the one piece that came before Node stopped reading, the second all that has gathered in the kernel. */
const READS_AFTER_PAUSE = 2;

const NOTHING = Buffer.alloc(0);

/**
 * Passes everything read from `socket` through `head`, in pieces, and closes the socket once that is too long; nothing more passes once the
 * socket is destroyed. Replaces `socket.read`, because undici reads only by `socket.read()`, each time that the socket is `readable`.
 */
export function watchAnswers(socket: Socket, head: AnswerHead): void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  let rest: Buffer = NOTHING;
  let isPaused = false;
  let freeReads = 0;
  const pause = (): null => {
    if (isPaused) return null;
    isPaused = true;
    setTimeout(() => {
      isPaused = false;
      freeReads = READS_AFTER_PAUSE;
      if (!socket.destroyed) socket.emit("readable");
    }, PAUSE_MS);
    return null;
  };
  socket.read = (size?: number): Buffer | null => {
    let bytes: Buffer = rest;
    rest = NOTHING;
    if (bytes.length > 0 && socket.destroyed) return null;
    while (bytes.length === 0) {
      if (head.pace.isTiny() && freeReads === 0) return pause();
      const chunk = read(size);
      if (chunk === null) return null;
      if (freeReads > 0) freeReads -= 1;
      head.pace.wasRead(chunk.length);
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
