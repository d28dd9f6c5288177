/** Random records that no producer of ours would write. Seeded, so that a failed run can be repeated. */
import type { ProducerRecord } from "@postrider/messaging";

export interface GarbageOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly count: number;
  /** A compacted topic accepts no record without a key. */
  readonly needsKey: boolean;
  readonly seed: number;
  /** A valid value of the topic. Some of the garbage begins like it, or is a part of it. */
  readonly sound: Buffer;
}

/** `count` records, spread over the topic's partitions. They include every kind of value, key and header listed below. */
export function garbageFor(options: GarbageOptions): ProducerRecord[] {
  const { topic, partitions, count, needsKey, seed, sound } = options;
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, index) => ({
    topic,
    partition: index % partitions,
    key: keyOf(random, index, needsKey),
    value: VALUES[index % VALUES.length]!(random, sound),
    headers: HEADERS[Math.floor(random() * HEADERS.length)]!,
  }));
}

/**
 * The reason with which a garbage record must be given up. `unknown_schema`: no schema has this fingerprint or id. `invalid`: on
 * `events`, a JSON object that breaks a rule. `unreadable`: everything else. `sound` is a valid value of the topic.
 */
export function reasonOf(
  topicName: string,
  { value, headers }: ProducerRecord,
  sound: Buffer,
): "unreadable" | "invalid" | "unknown_schema" {
  const given = headers?.["content-type"];
  const type = Buffer.isBuffer(given) ? given.toString() : "";
  const isJson = type.startsWith("application/json") || value?.[0] === BRACE;
  if (value === null) return "unreadable";
  if (topicName === "events" && isJson)
    return isJsonObject(value) ? "invalid" : "unreadable";
  const isOurs = value.subarray(0, FRAME_BYTES).equals(frameOf(sound));
  const isSingleObject = value[0] === 0xc3 && value[1] === 0x01;
  const isOfUnknownSchema =
    (isSingleObject && value.length >= FRAME_BYTES && !isOurs) ||
    (value[0] === 0 && value.length >= REGISTRY_FRAME_BYTES);
  return isOfUnknownSchema ? "unknown_schema" : "unreadable";
}

function isJsonObject(value: Buffer): boolean {
  try {
    const parsed: unknown = JSON.parse(value.toString());
    return typeof parsed === "object" && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

type Random = () => number;

const MAX_VALUE_BYTES = 2_000;

/** Avro's single-object encoding: the marker (2 bytes) and the schema's fingerprint (8 bytes). */
const FRAME_BYTES = 10;
/** A registry's framing: a zero byte and the schema's id (4 bytes). */
const REGISTRY_FRAME_BYTES = 5;
const BRACE = 0x7b;

function frameOf(sound: Buffer): Buffer {
  return sound.subarray(0, FRAME_BYTES);
}

const VALUES: readonly ((random: Random, sound: Buffer) => Buffer | null)[] = [
  (random) => bytes(random),
  (random) => Buffer.concat([Buffer.from("{"), bytes(random)]),
  (random) => Buffer.concat([Buffer.of(0xc3, 0x01), bytes(random)]),
  () => null,
  (random) => Buffer.concat([Buffer.of(0x00), bytes(random)]),
  () => Buffer.alloc(0),
  (random, sound) => framed(sound, bytes(random)),
  // Lengths that do not fit the value: 4 GiB, 2^62, and a negative one.
  (_random, sound) => framed(sound, Buffer.from("feffffff1f", "hex")),
  (_random, sound) => framed(sound, Buffer.from("ffffffffffffffff7f", "hex")),
  (_random, sound) => framed(sound, Buffer.from("01".repeat(40), "hex")),
  (random, sound) => sound.subarray(0, Math.floor(random() * sound.length)),
  (_random, sound) => Buffer.concat([sound, Buffer.of(0)]),
  () => Buffer.from('{"id":1e400,"id":{"__proto__":null},"payload":'),
  () => Buffer.from("[".repeat(MAX_VALUE_BYTES)),
  () => Buffer.from('{"id":"\\ud800","type":"a.b","payload":{}}'),
  () => Buffer.from('{"__proto__":{"id":"x"},"constructor":1}'),
  () => Buffer.from('"string"'),
];

function framed(sound: Buffer, rest: Buffer): Buffer {
  return Buffer.concat([frameOf(sound), rest]);
}

const HEADERS: readonly NonNullable<ProducerRecord["headers"]>[] = [
  {},
  {},
  Object.fromEntries(
    ["__proto__", "constructor", "toString", "hasOwnProperty", ""].map(
      (name) => [name, Buffer.from(name)],
    ),
  ),
  Object.fromEntries([
    ["__proto__", [Buffer.from("a"), Buffer.of(0xff)]],
    ["content-type", Buffer.from("application/json; charset=\u0000")],
  ]),
  { "content-type": [Buffer.of(0xc3), Buffer.from("application/json")] },
  { traceparent: Buffer.from("00-\r\nx"), "": Buffer.alloc(0) },
  { ["\u0000\uffff".repeat(500)]: Buffer.alloc(3_000, 0x80) },
  Object.fromEntries(
    Array.from({ length: 300 }, (_, n) => [`h${n}`, Buffer.of(n & 0xff)]),
  ),
];

function keyOf(random: Random, index: number, isNeeded: boolean) {
  const unique = Buffer.from(`garbage-${index}-`);
  switch (index % 5) {
    case 0:
      return isNeeded ? unique : null;
    case 1:
      return isNeeded ? unique : Buffer.alloc(0);
    case 2:
      return Buffer.concat([unique, Buffer.alloc(1_500, 0xff)]);
    case 3:
      return Buffer.concat([unique, Buffer.from("__proto__")]);
    default:
      return Buffer.concat([unique, bytes(random).subarray(0, 40)]);
  }
}

function bytes(random: Random): Buffer {
  const made = Buffer.alloc(Math.floor(random() * (MAX_VALUE_BYTES + 1)));
  for (let i = 0; i < made.length; i++) made[i] = Math.floor(random() * 256);
  return made;
}

/** Mulberry32: a small generator, good enough for garbage. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
