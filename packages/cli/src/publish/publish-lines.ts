/** Publishes many events, one per line, in batches. A refused event is named by its line in the file. */
import { counted } from "@postrider/core";
import { ApiRefusal, lineOf, type ApiAddress } from "../api.ts";
import { CliError } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";
import { postEvents } from "./post-events.ts";
import type { PublishedEvent } from "./wait-for-events.ts";

export interface EventLine {
  /** The line's number in its file, from 1. */
  readonly number: number;
  /** A JSON envelope, sent unchanged. */
  readonly text: string;
}

const BATCH_EVENTS = 100;
const BATCH_BYTES = 512 * 1024;

/**
 * Publishes the lines in order and resolves to what the door acknowledged. Throws `CliError` at the first batch that is not
 * acknowledged. The error names the wrong lines, what was published before them, and how to go on.
 */
export async function publishLines(
  ingest: ApiAddress,
  lines: readonly EventLine[],
  options: { readonly path: string; readonly terminal: Terminal },
): Promise<PublishedEvent[]> {
  const published: PublishedEvent[] = [];
  for (const batch of batchesOf(lines)) {
    const texts = batch.map(({ text }) => text);
    try {
      const body = `{"events":[${texts.join(",")}]}`;
      published.push(...(await postEvents(ingest, body)));
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      throw stoppedAt(error, { batch, lines, published, path: options.path });
    }
    if (lines.length > BATCH_EVENTS)
      options.terminal.progress(
        `published ${published.length} of ${lines.length}`,
        { done: published.length, total: lines.length },
      );
  }
  return published;
}

function* batchesOf(lines: readonly EventLine[]): Generator<EventLine[]> {
  let batch: EventLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const length = Buffer.byteLength(line.text);
    const isFull = batch.length >= BATCH_EVENTS || bytes + length > BATCH_BYTES;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

function stoppedAt(
  error: CliError,
  given: {
    readonly batch: readonly EventLine[];
    readonly lines: readonly EventLine[];
    readonly published: readonly PublishedEvent[];
    readonly path: string;
  },
): CliError {
  const { batch, lines, published, path } = given;
  const from = batch[0]?.number ?? 1;
  const last = batch.at(-1)?.number ?? from;
  const isRefused = error instanceof ApiRefusal && error.status < 500;
  const problems = isRefused ? error.errors : [];
  const named = problems.map(byLine(batch));
  const isLineWrong = problems.some(({ field }) => lineIn(batch, field));
  const before =
    published.length === 0
      ? "Nothing is published yet"
      : `Published up to here: ${counted(published.length, "event")}, lines ${lines[0]?.number} to ${lineBefore(lines, from)}`;
  const rest = isRefused
    ? `nothing from line ${from} on is.`
    : `whether lines ${from} to ${last} are is not known, and nothing behind them is.`;
  return new CliError(error.exitCode, error.message, {
    why: [
      ...(named.length > 0 ? named : [error.why ?? ""]),
      `${before}; ${rest}`,
    ].join("\n"),
    next: `${isLineWrong ? "Mend the line, then go on" : "Go on"}: npx postrider publish --ndjson ${shellWord(path)} --from-line ${from}`,
    cause: error,
    facts: { acknowledged: published.length, fromLine: from },
  });
}

/** Renames a field of a batch to its line in the file: `events[50].type` becomes `type` of the line that was event 50 of the batch. */
function byLine(
  batch: readonly EventLine[],
): (error: ApiRefusal["errors"][number]) => string {
  return (error) => {
    const line = lineIn(batch, error.field);
    if (line === undefined) return lineOf(error);
    const field = error.field.replace(OF_EVENT, "");
    return `line ${line.number}: ${lineOf({ ...error, field })}`;
  };
}

const OF_EVENT = /^events\[(\d+)\]\.?/;

function lineIn(
  batch: readonly EventLine[],
  field: string,
): EventLine | undefined {
  return batch[Number(OF_EVENT.exec(field)?.[1] ?? NaN)];
}

function lineBefore(lines: readonly EventLine[], number: number): number {
  return lines.findLast((line) => line.number < number)?.number ?? 0;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
