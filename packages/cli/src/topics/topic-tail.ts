import { parseJsonEnvelope } from "@postrider/core";
import {
  createSchemas,
  framingOf,
  topicName,
  type Codec,
  type RawRecord,
  type TopicValues,
} from "@postrider/messaging";
import {
  createMeter,
  systemClock,
  type RegistryAddress,
} from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { Action } from "../command.ts";
import { interrupted } from "../interrupted.ts";
import { connectKafka, quietLog, withAdmin } from "../kafka.ts";
import { showRecord, textOf, type ShownRecord } from "../show-record.ts";
import { followTopic } from "./follow-topic.ts";
import { requireTailRights } from "./tail-rights.ts";
import { visible, type Terminal } from "../terminal.ts";

export interface TailOptions {
  readonly fromBeginning?: boolean;
  readonly limit?: number;
}

export const tail: Action<TailOptions> = async ({
  args,
  options,
  terminal,
}) => {
  const addresses = findAddresses();
  const kafka = addresses.kafka();
  const registry = addresses.registry();
  const [given = ""] = args;
  const name = given.startsWith(kafka.prefix)
    ? given.slice(kafka.prefix.length)
    : given;
  await requireTopic(kafka, name);
  await follow({ ...kafka, registry, name, options, terminal });
};

async function requireTopic(
  kafka: { readonly brokers: readonly string[]; readonly prefix: string },
  name: string,
): Promise<void> {
  const topics = await withAdmin(kafka.brokers, async (admin) => {
    // First, because Kafka lists no topic that may not be described.
    await requireTailRights(admin, { ...kafka, name });
    return await admin.listTopics();
  });
  if (topics.includes(topicName(kafka.prefix, name))) return;
  const known = topics
    .filter((topic) => topic.startsWith(kafka.prefix))
    .map((topic) => topic.slice(kafka.prefix.length));
  throw new CliError(
    EXIT.notFound,
    `There is no topic ${topicName(kafka.prefix, name)}.`,
    known.length === 0
      ? { next: "npx postrider topics apply" }
      : { why: `There are: ${known.toSorted().join(", ")}.` },
  );
}

async function follow(given: {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly registry: RegistryAddress;
  readonly name: string;
  readonly options: TailOptions;
  readonly terminal: Terminal;
}): Promise<void> {
  const { brokers, prefix, name, options, terminal } = given;
  const kafka = connectKafka(brokers);
  const schemas = createSchemas({
    kafka,
    prefix,
    log: quietLog(),
    meter: createMeter({ service: "cli" }),
    clock: systemClock,
    registry: given.registry,
    registeredTopics: [], // this command only reads
  });
  await schemas.start();
  const decode = decoderOf(schemas, name);
  const ended = Promise.withResolvers<void>();
  const begins =
    options.fromBeginning === true
      ? ""
      : " from now on; --from-beginning shows what is there";
  let left = options.limit ?? Infinity;
  const consumer = followTopic({
    kafka,
    topic: topicName(prefix, name),
    groupPrefix: prefix,
    fromBeginning: options.fromBeginning === true,
    onRecord(raw) {
      if (left <= 0) return;
      left -= 1;
      const shown = showRecord(raw, decode(raw));
      terminal.data(shown, () => render(shown, terminal));
      if (left <= 0) ended.resolve();
    },
    onReady: () =>
      terminal.say(
        `Reading ${topicName(prefix, name)}${begins} (Ctrl-C ends it)`,
      ),
    onError: (error) => ended.reject(error),
  });
  try {
    await Promise.race([interrupted(), ended.promise]);
  } finally {
    await consumer.stop();
    await schemas.stop(Date.now() + 5_000);
  }
}

const DECODED: ReadonlySet<string> = new Set([
  "events",
  "deliveries",
  "dead-letters",
  "attempts",
  "intake",
  "signals",
  "audit",
  "endpoints",
]);

type Decode = (raw: RawRecord) => {
  readonly value: unknown;
  readonly error: string | null;
};

/** Decodes Avro if the value has our framing; otherwise shows JSON, or the text unchanged. */
function decoderOf(codec: Codec, name: string): Decode {
  const isOurs = DECODED.has(name) || name.startsWith("retry.");
  const decode = isOurs ? codec.decoderOf(name as keyof TopicValues) : null; // `isOurs`, above: the name is a key of TopicValues
  return (raw) => {
    if (raw.unreadable !== undefined)
      return { value: null, error: raw.unreadable.detail };
    const framing = framingOf(raw.value);
    if (raw.value === null) return { value: null, error: null };
    if (name === "events" && framing === "other")
      return envelopeOrText(raw.value);
    if (decode === null || framing === "other")
      return { value: jsonOrText(raw.value), error: null };
    const decoded = decode(raw);
    if (decoded.kind === "decoded")
      return { value: decoded.value, error: null };
    const error =
      decoded.kind === "unreadable"
        ? decoded.detail
        : `its schema is not known: ${decoded.schema}`;
    return { value: raw.value, error };
  };
}

/** A JSON envelope with its payload's text unchanged: parsing would change its numbers. */
function envelopeOrText(value: Buffer): ReturnType<Decode> {
  const parsed = parseJsonEnvelope(value);
  return parsed.kind === "parsed"
    ? { value: parsed.event, error: null }
    : { value, error: parsed.problem.message };
}

function jsonOrText(value: Buffer): unknown {
  const text = textOf(value);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function render(record: ShownRecord, terminal: Terminal): string {
  const place = terminal.paint(
    "dim",
    `${record.timestamp}  ${record.partition}@${record.offset}`,
  );
  const key = terminal.paint("bold", visible(record.key ?? "(no key)"));
  const error =
    record.error === null
      ? ""
      : terminal.paint("red", `  ${visible(record.error)}`);
  return `${place}  ${key}${error}\n  ${visible(JSON.stringify(record.value))}`;
}
