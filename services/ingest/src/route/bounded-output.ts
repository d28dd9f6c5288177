import type {
  ObservedOutput,
  OutRecord,
  RawRecord,
} from "@postrider/messaging";

/** What may be encoded and on its way to the broker at once. */
const MAX_BYTES = 64 << 20;
/** Of one call: a large payload to many endpoints goes in pieces. */
const MAX_PIECE_BYTES = 8 << 20;

interface Piece {
  readonly bytes: number;
  /** Hands it to the output, at once: what waits must not be overtaken by what comes in the same turn. */
  readonly begin: () => void;
}

/**
 * An output that takes a burst of large fan-outs piece by piece: each delivery carries the payload, so that 256 KiB to 500
 * endpoints are 128 MiB, and a hundred such events may be decided in one turn of the loop. A record is taken for as large
 * as its source. Calls go on in the order in which they came; one piece always fits where nothing is on its way. A call whose
 * later piece is refused is made again whole: deliver drops what was sent twice by its ids.
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

  /** As the output's own `send`, once there is room. */
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
      // Nearly every event is one piece.
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
