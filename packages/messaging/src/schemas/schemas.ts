/**
 * The codec of a process, with every schema that it may need: ours from the schemas/ folder, those of other writers from the
 * `schemas` topic (compacted, keyed by fingerprint) and, if one is configured, from the schema registry.
 */
import type { EpochMs } from "@postrider/core";
import { createAvroAsJson } from "./avro-as-json.ts";
import {
  createAvroCodec,
  type Codec,
  type WriterSchema,
} from "./avro-codec.ts";
import { fingerprintOf, parseWriterSchema } from "./avro-types.ts";
import {
  registryAccess,
  type Clock,
  type Lifecycle,
  type Log,
  type Meter,
  type RegistryAccess,
  type RegistryAddress,
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
import type { Decoded, Decoder } from "../stage.ts";
import { createTable, type TableCheck } from "../table/table.ts";
import { topicName } from "../topics.ts";
import { untilDone, type Retrying } from "./until-done.ts";

export interface SchemasOptions {
  readonly kafka: {
    consumer(options: ConsumerOptions): Consumer;
    readonly createProducer: ProducerFactory;
  };
  readonly prefix: string;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** With a registry, written values carry its ids; without one, fingerprints. Both are always read, as far as their schema can be had. */
  readonly registry?: RegistryAddress;
  /** The topics that this process writes; their schemas are registered before the first use. Default: all but the tiers. */
  readonly registeredTopics?: readonly (keyof TopicValues)[];
  /** Our schemas, as JSON. Default: those of the schemas/ folder. */
  readonly ownSchemas?: ReadonlyMap<RecordName, string>;
  readonly sessionTimeoutMs?: number;
}

export interface Schemas extends Lifecycle, Codec {
  /** Decodes Avro in the registry's framing, whatever its schema is, as JSON text. */
  readonly asJson: Decoder<Buffer>;
  health(): { readonly ready: TableCheck[]; readonly live: TableCheck[] };
}

/** Makes the codec. `start` resolves when the `schemas` topic has been read and holds our schemas, and the registry has them, too, if there is one. Encode nothing before. */
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
  /** Why our schemas are not registered yet, as a sentence; null once they are, or without a registry. */
  let unregistered =
    (options.registry?.schemaRegistryUrl ?? null) === null
      ? null
      : "our schemas are not registered yet";
  const registryIds = new Map<keyof TopicValues, number>();

  const byId = (id: number): WriterSchema => writerById(options, registry, id);
  const codec = createAvroCodec({
    schemas: ours,
    writers: {
      byFingerprint(fingerprint) {
        const json =
          oursByFingerprint.get(fingerprint) ?? table.get(fingerprint);
        if (json !== undefined) return { kind: "found", json };
        return table.behind() === null
          ? { kind: "unknown" }
          : { kind: "unknown", isSourceBehind: true };
      },
      byId,
    },
    registryIdOf: (name) =>
      // A tier carries deliveries. If it has no subject of its own, use the id of `deliveries`: an id names a schema, not a subject.
      registryIds.get(name) ??
      (name.startsWith("retry.") ? registryIds.get("deliveries") : null) ??
      null,
  });

  async function publishOurs(): Promise<void> {
    if (options.registeredTopics?.length === 0) return; // it writes nothing
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
    // Two processes may write the same schema at the same time. This does no harm: key and value are the same.
    await untilDone("schemas.publish", retrying(1000), async () => {
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

  async function registerOurs(access: RegistryAccess): Promise<void> {
    const { createRegistrySchemas } = await import("./registry-schemas.ts");
    const made = createRegistrySchemas({ registry: access, clock, log });
    registry = made;
    for (const name of options.registeredTopics ?? TOPICS) {
      const json = ours.get(recordNameOf(name));
      if (json === undefined) throw new Error(`no schema for topic ${name}`);
      const subject = `${topicName(prefix, name)}-value`;
      const failed = (reason: string): void => {
        unregistered = `${subject} is not registered yet: ${reason}`;
      };
      await untilDone("schemas.register", retrying(5000, failed), async () => {
        registryIds.set(name, await made.register(subject, json));
      });
    }
    unregistered = null;
  }

  function retrying(longestMs: number, failed?: Retrying["failed"]): Retrying {
    return { log, signal: stopped.signal, longestMs, failed };
  }

  /** Nothing is written before our schemas are registered. After that a registry that fails concerns only records whose schema is not known yet. */
  function registryChecks(): TableCheck[] {
    const name = "schema-registry";
    if (unregistered !== null)
      return [{ name, isOk: false, detail: unregistered }];
    if (registry === null) return [];
    const problem = registry.problem();
    const detail = problem === null ? "" : `degraded: ${problem}`;
    return [{ name, isOk: true, detail }];
  }

  return {
    async start() {
      await table.start();
      await publishOurs();
      if (options.registry === undefined || registry !== null) return;
      const access = registryAccess(options.registry, log, options.meter);
      if (access !== null) await registerOurs(access);
    },
    async stop(deadline: EpochMs) {
      stopped.abort();
      await table.stop(deadline);
    },
    encode: codec.encode,
    encodeInPieces: codec.encodeInPieces,
    decoderOf: codec.decoderOf,
    asJson: createAvroAsJson(byId),
    health() {
      const { ready, live } = table.health();
      return { ready: [...ready, ...registryChecks()], live };
    },
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
  "audit",
  "endpoints",
  "control",
] as const satisfies (keyof TopicValues)[];

function writerById(
  options: SchemasOptions,
  registry: RegistrySchemas | null,
  id: number,
): WriterSchema {
  if (registry !== null) return registry.byId(id);
  return (options.registry?.schemaRegistryUrl ?? null) === null
    ? {
        kind: "absent",
        detail: `no schema registry is configured for id ${id}`,
      }
    : { kind: "unknown" };
}

/** Decodes a record of the `schemas` topic. Its key must be the fingerprint of its schema. */
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
