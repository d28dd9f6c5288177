/**
 * What is left of a selection, in chunks that are ready to be sent. Whoever takes a chunk gets it while the next one is read, and the
 * next page is asked for while its predecessor is worked off. Reading changes nothing: what was read and not sent is read again by the next run.
 */
import type { Replay, ReplayPlace } from "@postrider/core";
import type { Candidate } from "./candidate.ts";
import { fateOf, type Fate, type FateOptions } from "./fate.ts";
import type { Page, PastDeliveries } from "./past-deliveries.ts";

/**
 * Units that one page holds at most. Its queries cost ClickHouse about the same for a few units as for many, so a page is large; but it says how
 * its units stood when it was read, which is a page before it is worked off. So it is no longer than `PAGE_SECONDS` of the replay's rate, or
 * `LEAST_PAGE_UNITS`.
 */
const MOST_PAGE_UNITS = 5_000;
const LEAST_PAGE_UNITS = 500;
const PAGE_SECONDS = 10;
/** The most deliveries between two checkpoints. */
const MAX_CHUNK = 500;
/** The payloads of a chunk have so many bytes, or a little more. Two chunks are in memory together: one is sent, one is read. */
const MAX_CHUNK_BYTES = 4 * 1_048_576;
/** How many dead letters are read at the same time. */
const READERS = 8;

export interface Chunk {
  readonly judged: readonly Judged[];
  /** Up to where the selection is worked off after this chunk. */
  readonly place: ReplayPlace;
}

export interface Judged {
  readonly candidate: Candidate;
  readonly fate: Fate;
}

export interface ChunkOptions extends FateOptions {
  readonly past: Pick<PastDeliveries, "page" | "event">;
}

interface Of {
  readonly replay: Replay;
  readonly signal: AbortSignal;
}

/** From the replay's place to the end of its selection. A chunk is half a second of the replay's rate at most. Throws while Kafka or ClickHouse does not answer. */
export function chunksOf(
  options: ChunkOptions,
  of: Of,
): AsyncGenerator<Chunk, void> {
  return ahead(eachChunk(options, of));
}

async function* eachChunk(
  options: ChunkOptions,
  of: Of,
): AsyncGenerator<Chunk, void> {
  for await (const page of ahead(pagesOf(options, of)))
    yield* chunksOfPage(options, of, page);
}

type FullPage = Page & { readonly upTo: ReplayPlace };

async function* pagesOf(
  { past }: ChunkOptions,
  { replay }: Of,
): AsyncGenerator<FullPage, void> {
  const limit = Math.min(
    MOST_PAGE_UNITS,
    Math.max(LEAST_PAGE_UNITS, PAGE_SECONDS * replay.ratePerSecond),
  );
  for (let after = replay.place; ;) {
    const page = await past.page(replay, after, limit);
    if (page.upTo === null) return;
    yield { ...page, upTo: page.upTo };
    after = page.upTo;
  }
}

async function* chunksOfPage(
  options: ChunkOptions,
  of: Of,
  page: FullPage,
): AsyncGenerator<Chunk, void> {
  const { candidates, upTo } = page;
  const rate = of.replay.ratePerSecond;
  const size = Math.max(1, Math.min(MAX_CHUNK, Math.ceil(rate / 2)));
  let at = 0;
  do {
    const wanted = candidates.slice(at, at + size);
    const judged = await judgedOf(options, { ...of, page }, wanted);
    at += judged.length;
    const last = judged.at(-1)?.candidate;
    const isEnd = at >= candidates.length || last === undefined;
    yield { judged, place: isEnd ? upTo : placeOf(last) };
  } while (at < candidates.length);
}

/** What becomes of these candidates, or of the first of them that have `MAX_CHUNK_BYTES` together. A few are read at a time. */
async function judgedOf(
  options: ChunkOptions,
  of: Of & { readonly page: Page },
  candidates: readonly Candidate[],
): Promise<Judged[]> {
  const judged: Judged[] = [];
  let bytes = 0;
  while (judged.length < candidates.length && bytes < MAX_CHUNK_BYTES) {
    of.signal.throwIfAborted();
    const next = candidates.slice(judged.length, judged.length + READERS);
    const fates = await Promise.all(
      next.map((candidate) => fateOf(options, of, candidate)),
    );
    for (const [at, fate] of fates.entries()) {
      judged.push({ candidate: next[at]!, fate });
      bytes += fate.kind === "send" ? fate.payloadBytes : 0;
    }
  }
  return judged;
}

function placeOf({
  tenantId,
  receivedAt,
  eventId,
  endpointId,
}: Candidate): ReplayPlace {
  return { tenantId, receivedAt, eventId, endpointId };
}

/** The same items; the next one is begun when the last one is handed out. Nobody waits for what was begun and is not wanted any more. */
async function* ahead<T>(
  source: AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  const begin = (): Promise<IteratorResult<T, void>> => {
    const next = source.next();
    // Whoever takes it sees it fail.
    next.catch(() => undefined);
    return next;
  };
  try {
    for (let next = begin(); ;) {
      const { done, value } = await next;
      if (done === true) return;
      next = begin();
      yield value;
    }
  } finally {
    source.return().catch(() => undefined);
  }
}
