/**
 * Replaces kafkajs 2.2.4's record-batch encoder by ours, for requests that ours can write; other requests use kafkajs' own.
 *
 * Also reads the broker's answers, which name each partition. kafkajs throws for the first partition that was refused, and says
 * neither which one that was nor that the others are stored (docs/kafkajs.md, "One batch in flight, none after an error").
 */
import { createRequire } from "node:module";
import { encodeProduceBody, type BatchRecord } from "./record-batch.ts";
import {
  encoderWithRoom,
  HEAD_ROOM_BYTES,
  type Encoder,
} from "./request-head.ts";

// kafkajs is CommonJS: load it with `require`, so that the patched modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface KafkajsMessage {
  readonly key?: unknown;
  readonly value: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly timestamp?: unknown;
}

interface ProduceArguments {
  readonly acks: number;
  readonly timeout: number;
  readonly compression?: number;
  readonly transactionalId?: string | null;
  readonly producerId?: number | bigint | string | { toString(): string };
  readonly producerEpoch?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly KafkajsMessage[];
    }[];
  }[];
}

interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
    }[];
  }[];
}

interface ProduceRequest {
  readonly request: { encode(): Promise<Encoder> };
  readonly response: { parse(answer: ProduceAnswer): Promise<unknown> };
}
type MakeRequest = (request: ProduceArguments) => ProduceRequest;

interface ProduceDefinition {
  protocol(options: { version: number }): MakeRequest;
}

const FIRST_VERSION_WITH_BATCHES = 3;
let isRegistered = false;
/** The message arrays that a broker has stored. Each is what one request carried for one partition. */
const acknowledged = new WeakSet<object>();

/** Whether a broker has answered that it stored these messages. `messages` must be the same array object that kafkajs was given for one partition. */
export function isAcknowledged(messages: object): boolean {
  return acknowledged.has(messages);
}

/** Installs the encoder for every client of this process. Safe to call twice. Called by `patchKafkajs`, which checks the version first. */
export function registerRecordBatch(): void {
  if (isRegistered) return;
  const produce = load(
    "kafkajs/src/protocol/requests/produce",
  ) as ProduceDefinition;
  const original = produce.protocol;
  produce.protocol = (options) => {
    const make = original(options);
    if (options.version < FIRST_VERSION_WITH_BATCHES) return make;
    return (request) => {
      const made = listeningTo(make(request), request);
      if (isOurs(request))
        made.request.encode = () =>
          Promise.resolve(encoderWithRoom(bodyOf(request), HEAD_ROOM_BYTES));
      return made;
    };
  };
  isRegistered = true;
}

function listeningTo(
  { request, response }: ProduceRequest,
  { topicData }: ProduceArguments,
): ProduceRequest {
  const parse = (answer: ProduceAnswer): Promise<unknown> => {
    for (const { topicName, partitions } of answer.topics)
      for (const { partition, errorCode } of partitions) {
        if (errorCode !== 0) continue;
        const sent = topicData
          .find(({ topic }) => topic === topicName)
          ?.partitions.find((one) => one.partition === partition);
        if (sent !== undefined) acknowledged.add(sent.messages);
      }
    return response.parse(answer);
  };
  // kafkajs shares one response object between all requests of a version, so make a new one.
  return { request, response: { ...response, parse } };
}

/** Whether our encoder can write the request: uncompressed, every key, value and header is a Buffer (or null; a value may be several), no record has its own timestamp. Our producers send only such requests. */
function isOurs({ compression = 0, topicData }: ProduceArguments): boolean {
  return (
    compression === 0 &&
    topicData.every(({ partitions }) =>
      partitions.every(({ messages }) => messages.every(isBytes)),
    )
  );
}

function isBytes({ key, value, headers, timestamp }: KafkajsMessage): boolean {
  if (timestamp !== undefined) return false;
  if (key !== null && !Buffer.isBuffer(key)) return false;
  if (value !== null && !areBuffers(value)) return false;
  for (const name in headers) {
    const header = headers[name];
    if (!areBuffers(header)) return false;
  }
  return true;
}

function areBuffers(value: unknown): boolean {
  return Array.isArray(value)
    ? value.every(Buffer.isBuffer)
    : Buffer.isBuffer(value);
}

/** The body's pieces. The first has room before it for the request's head. */
function bodyOf(request: ProduceArguments): Buffer[] {
  const body = {
    transactionalId: request.transactionalId ?? null,
    acks: request.acks,
    timeoutMs: request.timeout,
    // A number, a decimal text or kafkajs' own Long: `toString` gives decimal digits for each.
    producerId: BigInt((request.producerId ?? -1).toString()),
    producerEpoch: request.producerEpoch ?? 0,
    now: Date.now(),
    topics: request.topicData.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, firstSequence, messages }) => ({
        partition,
        firstSequence: firstSequence ?? 0,
        // isOurs has checked each message.
        messages: messages as readonly BatchRecord[],
      })),
    })),
  };
  return encodeProduceBody(body, HEAD_ROOM_BYTES);
}
