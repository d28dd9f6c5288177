/**
 * Replaces kafkajs 2.2.4's decoder of fetched records by ours, for every consumer of this process. kafkajs' decoder builds a
 * record's headers in quadratic time (9,000 headers take 9.5 s, and a record of 1 MB may hold 500,000), inflates without a limit,
 * throws above 125,000 records in a batch, and checks no checksum. So one record with many headers, or one small batch, could stop
 * every replica, one after the other.
 *
 * kafkajs takes a partition's position from the messages of a response. We give it one message, the stand-in, at the last offset
 * that was fetched, or at the last offset of a broken batch if nothing was fetched before it. The stand-in carries the fetched
 * records; `fetchedOf` returns them. There is no stand-in if the response holds neither a whole batch nor a broken one.
 */
import { createRequire } from "node:module";
import { giveBack } from "./answer-memory.ts";
import {
  RESPONSE_BUDGET_BYTES,
  type AbortedTransaction,
  type FetchBudget,
  type FetchedRecords,
} from "./fetched-records.ts";
import { decodeBatches } from "./record-batch-decoder.ts";

// kafkajs is CommonJS: load it with `require`, so that the patched modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface FetchArguments {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string | number;
    }[];
  }[];
}

interface FetchRequest {
  readonly request: object;
  readonly response: {
    decode(bytes: Buffer): Promise<unknown>;
    parse(answer: unknown): Promise<unknown>;
  };
}
type MakeRequest = (request: FetchArguments) => FetchRequest;

interface FetchDefinition {
  protocol(options: { version: number }): MakeRequest;
}

/** The one message that stands for everything that was fetched of a partition. */
interface StandIn {
  readonly offset: string;
  readonly fetched: FetchedRecords;
}

const FIRST_VERSION_WITH_BATCHES = 4;
const FIRST_WITH_LOG_START = 5;
const FIRST_WITH_SESSION = 7;
const FIRST_WITH_CLIENT_THROTTLING = 8;
const FIRST_WITH_REPLICA = 11;

/** Installs the decoder for every client of this process. Call once (patch-kafkajs.ts). */
export function registerFetchDecoder(): void {
  const fetch = load("kafkajs/src/protocol/requests/fetch") as FetchDefinition;
  const original = fetch.protocol;
  fetch.protocol = ({ version }) => {
    const make = original({ version });
    if (version < FIRST_VERSION_WITH_BATCHES) return make;
    return (request) => {
      const made = make(request);
      const decode = async (bytes: Buffer): Promise<unknown> => {
        try {
          return await decodeResponse(bytes, version, request);
        } finally {
          // All that was taken from the answer is a copy.
          giveBack(bytes);
        }
      };
      // kafkajs shares one response object between all requests of a version, so make a new one.
      return { ...made, response: { ...made.response, decode } };
    };
  };
}

/** The fetched records that a kafkajs batch carries; null if there is no stand-in. */
export function fetchedOf(batch: {
  readonly rawMessages: readonly unknown[];
}): FetchedRecords | null {
  // Only our decoder makes these messages, so their type is known.
  const [standIn] = batch.rawMessages as readonly StandIn[];
  return standIn === undefined ? null : standIn.fetched;
}

/** Decodes a fetch response. Nothing in the result is a view of it. Throws a RangeError if the response itself (written by the broker) ends too early. */
async function decodeResponse(
  bytes: Buffer,
  version: number,
  request: FetchArguments,
): Promise<unknown> {
  const from = new Reader(bytes);
  const throttleMs = from.int32();
  const fetchSession =
    version < FIRST_WITH_SESSION
      ? {}
      : { errorCode: from.int16(), sessionId: from.int32() };
  const budget: FetchBudget = { leftBytes: RESPONSE_BUDGET_BYTES };
  const responses: object[] = [];
  for (let topics = from.int32(); topics > 0; topics--) {
    const topic = from.text();
    const offsets = offsetsOf(request, topic);
    const partitions: object[] = [];
    for (let left = from.int32(); left > 0; left--)
      partitions.push(
        await decodePartition(from, { version, topic, offsets, budget }),
      );
    responses.push({ topicName: topic, partitions });
  }
  // From version 8 on the broker answers at once and the client must wait for the throttle time. Before, the broker has waited itself.
  const throttling =
    version < FIRST_WITH_CLIENT_THROTTLING
      ? { throttleTime: throttleMs }
      : { throttleTime: 0, clientSideThrottleTime: throttleMs };
  return { ...throttling, ...fetchSession, responses };
}

function offsetsOf(
  { topics }: FetchArguments,
  topic: string,
): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  // kafkajs shuffles the partitions of a request, so a topic may be in it several times.
  for (const part of topics)
    if (part.topic === topic)
      for (const { partition, fetchOffset } of part.partitions)
        offsets.set(partition, Number(fetchOffset));
  return offsets;
}

async function decodePartition(
  from: Reader,
  given: {
    readonly version: number;
    readonly topic: string;
    readonly offsets: ReadonlyMap<number, number>;
    readonly budget: FetchBudget;
  },
): Promise<object> {
  const { version, topic, offsets, budget } = given;
  const partition = from.int32();
  const errorCode = from.int16();
  const highWatermark = from.int64();
  const lastStableOffset = String(from.int64());
  if (version >= FIRST_WITH_LOG_START) from.int64(); // log start offset, unused
  const aborted: AbortedTransaction[] = [];
  for (let left = from.int32(); left > 0; left--)
    aborted.push({ producerId: from.bigint64(), firstOffset: from.int64() });
  // The broker sorts them by their end; the decoder needs them by their first offset.
  aborted.sort((a, b) => a.firstOffset - b.firstOffset);
  const preferredReadReplica = version < FIRST_WITH_REPLICA ? -1 : from.int32();
  const recordSet = from.bytes();
  const fetchOffset = offsets.get(partition);
  const messages: StandIn[] = [];
  // No fetch offset: the partition was not asked for. What came of it is ignored, because records below the offset could not be skipped.
  if (fetchOffset !== undefined && recordSet.length > 0) {
    const fetched = await decodeBatches(
      recordSet,
      { topic, partition, fetchOffset, highWatermark, aborted },
      budget,
    );
    const last = fetched.broken?.unreadable?.lastOffset ?? fetched.lastOffset;
    if (last !== null) messages.push({ offset: String(last), fetched });
  }
  return {
    partition,
    errorCode,
    highWatermark: String(highWatermark),
    lastStableOffset,
    // Our decoder has left out aborted records already.
    abortedTransactions: [],
    preferredReadReplica,
    messages,
  };
}

/** Reads one field after another. Throws a RangeError if the bytes end within a field. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#move(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#move(4));
  }

  bigint64(): bigint {
    return this.#bytes.readBigInt64BE(this.#move(8));
  }

  /** Exact up to 2^53. */
  int64(): number {
    return Number(this.bigint64());
  }

  text(): string {
    const size = this.int16();
    const at = this.#move(Math.max(0, size));
    return this.#bytes.toString("utf8", at, this.#at);
  }

  /** A view of the response, not a copy. */
  bytes(): Buffer {
    const size = this.int32();
    const at = this.#move(Math.max(0, size));
    return this.#bytes.subarray(at, this.#at);
  }

  #move(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.length)
      throw new RangeError("the response ends too early");
    this.#at += size;
    return at;
  }
}
