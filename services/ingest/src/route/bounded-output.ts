import type {
  ObservedOutput,
  OutRecord,
  RawRecord,
} from "@postrider/messaging";

/** How many bytes may be encoded and unacknowledged at once. */
const MAX_BYTES = 64 << 20;
/** A call of `send` with more bytes is split into pieces of at most this size. */
const MAX_PIECE_BYTES = 8 << 20;

interface Piece {
  readonly bytes: number;
  /** Sends the piece to the output synchronously. If it were async, a call in the same turn of the event loop could overtake a waiting piece. */
  readonly begin: () => void;
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

  const fits = ({ bytes }: Piece): boolean =>
    bytesOut === 0 || bytesOut + bytes <= maxBytes;

  function begin(piece: Piece): void {
    bytesOut += piece.bytes;
    piece.begin();
  }

  function ended({ bytes }: Piece): void {
    bytesOut -= bytes;
    for (let next = waiting[0]; next && fits(next); next = waiting[0]) {
      waiting.shift();
      begin(next);
    }
  }

  /** Calls the output's `send` once there is room; resolves and rejects like that call. */
  function sendPiece(
    records: readonly OutRecord[],
    source: RawRecord | undefined,
    bytes: number,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const piece: Piece = {
        bytes,
        begin: () =>
          void output.send(records, source).then(
            () => {
              ended(piece);
              resolve();
            },
            (error: Error) => {
              ended(piece);
              reject(error);
            },
          ),
      };
      if (waiting.length === 0 && fits(piece)) begin(piece);
      else waiting.push(piece);
    });
  }

  return {
    start: () => output.start(),
    stop: (deadline) => output.stop(deadline),
    health: () => output.health(),
    unacknowledged: () => output.unacknowledged(),
    oldestUnacknowledgedMs: () => output.oldestUnacknowledgedMs(),
    send(records, source) {
      const each = source?.value?.length ?? 0;
      const bytes = records.length * each;
      // Nearly every event is one piece, so that case avoids the async loop.
      return bytes <= maxPieceBytes
        ? sendPiece(records, source, bytes)
        : sendPieces(records, source, each);
    },
  };

  async function sendPieces(
    records: readonly OutRecord[],
    source: RawRecord | undefined,
    each: number,
  ): Promise<void> {
    const size = Math.max(1, Math.floor(maxPieceBytes / each));
    for (let from = 0; from < records.length; from += size) {
      const piece = records.slice(from, from + size);
      await sendPiece(piece, source, piece.length * each);
    }
  }
}
