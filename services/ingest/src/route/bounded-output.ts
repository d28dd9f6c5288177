import {
  promised,
  type ObservedOutput,
  type OutRecord,
  type RawRecord,
  type Sent,
} from "@postrider/messaging";

/** How many bytes may be encoded and unacknowledged at once. */
const MAX_BYTES = 64 << 20;
/** A call of `send` with more bytes is split into pieces of at most this size. */
const MAX_PIECE_BYTES = 8 << 20;

interface Piece {
  readonly bytes: number;
  readonly records: readonly OutRecord[];
  readonly source: RawRecord | undefined;
  readonly ended: Sent;
}

/**
 * An output with bounded memory for bursts of large fan-outs. Each delivery carries the payload, so an event of 256 KiB for
 * 500 endpoints is 128 MiB, and route may decide a hundred such events in one turn of the event loop. This output sends
 * them in pieces and holds further pieces back.
 *
 * A record is assumed to be as large as its source record. Pieces are sent in the order of the calls. If nothing is
 * unacknowledged, one piece of any size is sent.
 *
 * If a later piece of a call is refused, the caller makes the whole call again. Deliver recognises the deliveries that were
 * sent twice by their ids and drops them.
 */
export function boundedOutput(
  output: ObservedOutput,
  { maxBytes = MAX_BYTES, maxPieceBytes = MAX_PIECE_BYTES } = {},
): ObservedOutput {
  const waiting: Piece[] = [];
  let bytesOut = 0;
  let isBeginning = false;

  const fits = ({ bytes }: Piece): boolean =>
    bytesOut === 0 || bytesOut + bytes <= maxBytes;

  /** Sends the piece to the output synchronously. Otherwise a call in the same turn of the event loop could overtake a waiting piece. */
  function begin({ bytes, records, source, ended }: Piece): void {
    bytesOut += bytes;
    output.sendThen(records, source, (error) => {
      bytesOut -= bytes;
      if (waiting.length > 0) beginWaiting();
      ended(error);
    });
  }

  function beginWaiting(): void {
    // A piece may end at once (the output is stopped): the loop below then goes on, and no call is nested in another.
    if (isBeginning) return;
    isBeginning = true;
    try {
      for (let next = waiting[0]; next && fits(next); next = waiting[0]) {
        waiting.shift();
        begin(next);
      }
    } finally {
      isBeginning = false;
    }
  }

  /** Calls the output's `sendThen` once there is room. */
  function sendPiece(piece: Piece): void {
    if (waiting.length === 0 && fits(piece)) begin(piece);
    else waiting.push(piece);
  }

  function sendThen(...call: Parameters<ObservedOutput["sendThen"]>): void {
    const [records, source, ended] = call;
    const each = source?.value?.length ?? 0;
    const bytes = records.length * each;
    // Nearly every event is one piece, so that case avoids the async loop.
    if (bytes <= maxPieceBytes)
      return sendPiece({ bytes, records, source, ended });
    void sendPieces(records, source, each).then(() => ended(null), ended);
  }

  async function sendPieces(
    records: readonly OutRecord[],
    source: RawRecord | undefined,
    each: number,
  ): Promise<void> {
    const size = Math.max(1, Math.floor(maxPieceBytes / each));
    for (let from = 0; from < records.length; from += size) {
      const piece = records.slice(from, from + size);
      const bytes = piece.length * each;
      await promised((ended) =>
        sendPiece({ bytes, records: piece, source, ended }),
      );
    }
  }

  return {
    start: () => output.start(),
    stop: (deadline) => output.stop(deadline),
    health: () => output.health(),
    unacknowledged: () => output.unacknowledged(),
    oldestUnacknowledgedMs: () => output.oldestUnacknowledgedMs(),
    send: (records, source) =>
      promised((ended) => sendThen(records, source, ended)),
    sendThen,
  };
}
