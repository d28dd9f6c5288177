/**
 * Puts our record-batch encoder in the place of kafkajs 2.2.4's, for requests that it can write; others go kafkajs' own way.
 * And listens to the broker's answers, which name each partition: kafkajs throws for the first that was refused, and says
 * neither which that was nor that the others are stored (docs/kafkajs.md, "One batch in flight, none after an error").
 */
import { createRequire } from "node:module";
import { encodeProduceBody, type BatchRecord } from "./record-batch.ts";

// kafkajs is CommonJS; what is replaced must be what its clients use.
const load = createRequire(import.meta.url);

/** kafkajs' Encoder, as far as a request's body is one. */
interface Encoder {
  buf: Buffer;
  offset: number;
}

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
/** Arrays of messages, each what one request carried for one partition, that the broker has stored. */
const acknowledged = new WeakSet<object>();

/** Whether the broker has said that it stored these messages: the very array given to kafkajs for one partition. */
export function isAcknowledged(messages: object): boolean {
  return acknowledged.has(messages);
}

/** For every client of this process. Safe to call twice. Called by `patchKafkajs`, which looks at the version first. */
export function registerRecordBatch(): void {
  if (isRegistered) return;
  const produce = load(
    "kafkajs/src/protocol/requests/produce",
  ) as ProduceDefinition;
  const EncoderClass = load("kafkajs/src/protocol/encoder") as new (
    size: number,
  ) => Encoder;
  const original = produce.protocol;
  produce.protocol = (options) => {
    const make = original(options);
    if (options.version < FIRST_VERSION_WITH_BATCHES) return make;
    return (request) => {
      const made = listeningTo(make(request), request);
      if (isOurs(request))
        made.request.encode = () => {
          const encoder = new EncoderClass(1);
          encoder.buf = bodyOf(request);
          encoder.offset = encoder.buf.length;
          return Promise.resolve(encoder);
        };
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
  // kafkajs shares a version's response between all its requests.
  return { request, response: { ...response, parse } };
}

/** Uncompressed, every key, value and header bytes, every record timed by us: what our producers send. */
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
  if (value !== null && !Buffer.isBuffer(value)) return false;
  for (const name in headers) {
    const header = headers[name];
    const values: unknown[] = Array.isArray(header) ? header : [header];
    if (!values.every(Buffer.isBuffer)) return false;
  }
  return true;
}

function bodyOf(request: ProduceArguments): Buffer {
  return encodeProduceBody({
    transactionalId: request.transactionalId ?? null,
    acks: request.acks,
    timeoutMs: request.timeout,
    // A number, a decimal text or kafkajs' own Long: each says itself in decimal.
    producerId: BigInt((request.producerId ?? -1).toString()),
    producerEpoch: request.producerEpoch ?? 0,
    now: Date.now(),
    topics: request.topicData.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, firstSequence, messages }) => ({
        partition,
        firstSequence: firstSequence ?? 0,
        // isOurs has looked at every one.
        messages: messages as readonly BatchRecord[],
      })),
    })),
  });
}
