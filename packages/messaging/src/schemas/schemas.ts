/**
 * The codec of a process, with every schema that it may meet: ours from the schemas/ folder, other writers' from the
 * `schemas` topic (a compacted table keyed by fingerprint) and, where one is configured, the schema registry.
 */
import type { EpochMs } from "@postrider/core";
import {
  createAvroCodec,
  type Codec,
  type WriterSchema,
} from "./avro-codec.ts";
import { fingerprintOf, parseWriterSchema } from "./avro-types.ts";
import {
  sleep,
  type Clock,
  type Lifecycle,
  type Log,
  type Meter,
} from "@postrider/runtime";
import type {
  Consumer,
  ConsumerOptions,
  ProducerFactory,
  ProducerRecord,
} from "../ports.ts";
import type { TopicValues } from "../record.ts";
import type { RegistrySchemas } from "./registry-schemas.ts";
import {
  readSchemaFiles,
  recordNameOf,
  type RecordName,
} from "./schema-files.ts";
import type { Decoded } from "../stage.ts";
import { createTable, type TableCheck } from "../table/table.ts";
import { topicName } from "../topics.ts";

export interface SchemasOptions {
  readonly kafka: {
    consumer(options: ConsumerOptions): Consumer;
    readonly createProducer: ProducerFactory;
  };
  readonly prefix: string;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** With one, values carry its ids; without, fingerprints. Either is read. */
  readonly schemaRegistryUrl?: string | null;
  /** The topics that this process writes, whose schemas are registered before their first use. Default: all but the tiers. */
  readonly registeredTopics?: readonly (keyof TopicValues)[];
  /** Ours, as JSON. Default: the schemas/ folder. */
  readonly ownSchemas?: ReadonlyMap<RecordName, string>;
  readonly sessionTimeoutMs?: number;
}

export interface Schemas extends Lifecycle, Codec {
  health(): { readonly ready: TableCheck[]; readonly live: TableCheck[] };
}

/** `start` resolves when the `schemas` topic has been read and holds ours (and the registry, where there is one). Nothing may be encoded before. */
export function createSchemas(options: SchemasOptions): Schemas {
  const { kafka, prefix, log, meter, clock } = options;
  const ours = options.ownSchemas ?? readSchemaFiles();
  const oursByFingerprint = new Map(
    [...ours.values()].map((json) => [
      fingerprintOf(parseWriterSchema(json)),
      JSON.stringify(JSON.parse(json)),
    ]),
  );
  const topic = topicName(prefix, "schemas");
  const table = createTable<string>({
    kafka,
    topic,
    decode: ({ key, value }) => decodeSchema(key, value),
    log,
    meter,
    clock,
    ...(options.sessionTimeoutMs !== undefined && {
      sessionTimeoutMs: options.sessionTimeoutMs,
    }),
  });
  const stopped = new AbortController();
  let registry: RegistrySchemas | null = null;
  const registryIds = new Map<keyof TopicValues, number>();

  const codec = createAvroCodec({
    schemas: ours,
    writers: {
      byFingerprint(fingerprint) {
        const json =
          oursByFingerprint.get(fingerprint) ?? table.get(fingerprint);
        return json === undefined
          ? { kind: "unknown" }
          : { kind: "found", json };
      },
      byId: (id) => writerById(options, registry, id),
    },
    registryIdOf: (name) =>
      // A tier that is not registered under its own subject carries what deliveries carry: the id names the schema.
      registryIds.get(name) ??
      (name.startsWith("retry.") ? registryIds.get("deliveries") : null) ??
      null,
  });

  async function publishOurs(): Promise<void> {
    const missing = [...oursByFingerprint].filter(
      ([fingerprint]) => table.get(fingerprint) === undefined,
    );
    const records = missing.map(([fingerprint, json]): ProducerRecord => ({
      topic,
      partition: 0,
      key: Buffer.from(fingerprint, "utf8"),
      value: Buffer.from(json, "utf8"),
    }));
    if (records.length === 0) return;
    // Two processes may write the same schema at once: it is the same record.
    await untilDone("schemas.publish", options, stopped.signal, async () => {
      const producer = await kafka.createProducer();
      try {
        await producer.sendBatch(records);
      } finally {
        await producer.disconnect();
      }
    });
    log.info("schemas.published", {
      fingerprints: missing.map(([fingerprint]) => fingerprint),
    });
  }

  async function registerOurs(url: string): Promise<void> {
    const { createRegistrySchemas } = await import("./registry-schemas.ts");
    const made = createRegistrySchemas({ url, clock, log });
    registry = made;
    for (const name of options.registeredTopics ?? TOPICS) {
      const json = ours.get(recordNameOf(name));
      if (json === undefined) throw new Error(`no schema for topic ${name}`);
      const subject = `${topicName(prefix, name)}-value`;
      await untilDone("schemas.register", options, stopped.signal, async () => {
        registryIds.set(name, await made.register(subject, json));
      });
    }
  }

  return {
    async start() {
      await table.start();
      await publishOurs();
      const url = options.schemaRegistryUrl ?? null;
      if (url !== null && registry === null) await registerOurs(url);
    },
    async stop(deadline: EpochMs) {
      stopped.abort();
      await table.stop(deadline);
    },
    encode: codec.encode,
    decoderOf: codec.decoderOf,
    health: () => table.health(),
  };
}

/** Topics whose subjects are registered by default. */
const TOPICS = [
  "events",
  "deliveries",
  "dead-letters",
  "attempts",
  "intake",
  "signals",
  "endpoints",
] as const satisfies (keyof TopicValues)[];

function writerById(
  options: SchemasOptions,
  registry: RegistrySchemas | null,
  id: number,
): WriterSchema {
  if (registry !== null) return registry.byId(id);
  return (options.schemaRegistryUrl ?? null) === null
    ? {
        kind: "absent",
        detail: `no schema registry is configured for id ${id}`,
      }
    : { kind: "unknown" };
}

/** A schema is only believed under its own fingerprint. */
function decodeSchema(
  key: Buffer | null,
  value: Buffer | null,
): Decoded<string> {
  try {
    const json = value?.toString("utf8") ?? "";
    const fingerprint = fingerprintOf(parseWriterSchema(json));
    if (fingerprint === key?.toString("utf8"))
      return { kind: "decoded", value: json };
    return unreadable(`this schema's fingerprint is ${fingerprint}`);
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
}

function unreadable(detail: string): Decoded<never> {
  return { kind: "unreadable", reason: "unreadable", detail };
}

/** Tries for ever, at most a second apart, until it is done or the signal says stop. */
async function untilDone(
  what: string,
  { log }: SchemasOptions,
  signal: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  for (let waitMs = 50; ; waitMs = Math.min(1000, waitMs * 2)) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      log.warn("schemas.failed", { what, error: String(error) });
      await sleep(waitMs, { signal });
    }
  }
}
