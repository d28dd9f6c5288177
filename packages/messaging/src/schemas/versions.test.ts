/** Versions of our records side by side, as in a rolling upgrade or after a rollback: each pair, in both directions and both framings. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { controlEntry } from "@postrider/core";
import { SCHEMAS_FOLDER } from "@postrider/runtime";
import {
  aDeadLetter,
  aDelivery,
  anApiKey,
  anAttempt,
  anAuditEntry,
  anEndpoint,
  anEvent,
  anIntake,
  aRawRecord,
  aSignal,
  nextSchema,
} from "@postrider/testkit";
import type { OutRecord, TopicValues } from "../record.ts";
import {
  createAvroCodec,
  type Codec,
  type WriterSchema,
} from "./avro-codec.ts";
import { fingerprintOf, parseWriterSchema } from "./avro-types.ts";
import { readSchemaFiles, recordNameOf } from "./schema-files.ts";

/** A record of each kind, by a topic that carries it. */
const RECORDS = {
  events: anEvent(),
  deliveries: aDelivery(),
  "dead-letters": aDeadLetter(),
  attempts: anAttempt(),
  intake: anIntake(),
  signals: aSignal(),
  audit: anAuditEntry(),
  endpoints: anEndpoint(),
  control: controlEntry({ key: anApiKey() }),
} satisfies { [T in keyof TopicValues]?: TopicValues[T] };
type Topic = keyof typeof RECORDS;
const TOPICS = Object.keys(RECORDS) as Topic[];

const ours = readSchemaFiles();

interface Version {
  readonly version: string;
  readonly json: string;
}

/** The frozen versions, today's, and one that may come. */
function versionsOf(topic: Topic): Version[] {
  const today = ours.get(recordNameOf(topic))!;
  const name = recordNameOf(topic).replaceAll(
    /(?!^)[A-Z]/g,
    (letter) => `-${letter}`,
  );
  const folder = new URL(`history/${name.toLowerCase()}/`, SCHEMAS_FOLDER);
  const frozen = readdirSync(folder).map((file) => ({
    version: file.replace(".avsc", ""),
    json: readFileSync(new URL(file, folder), "utf8"),
  }));
  return [
    ...frozen,
    { version: "today", json: today },
    { version: "next", json: nextSchema(today) },
  ];
}

interface Field {
  readonly name: string;
  readonly default?: unknown;
}

function fieldsOf(json: string): readonly Field[] {
  return (JSON.parse(json) as { fields: readonly Field[] }).fields;
}

type Framing = "fingerprint" | "registry id";

/** A codec of each version, which knows the schemas of all of them. */
function codecsOf(
  topic: Topic,
  framing: Framing,
  versions: readonly Version[],
): ReadonlyMap<Version, Codec> {
  const name = recordNameOf(topic);
  const byFingerprint = new Map(
    versions.map(({ json }) => [fingerprintOf(parseWriterSchema(json)), json]),
  );
  const known = (json: string | undefined): WriterSchema =>
    json === undefined ? { kind: "unknown" } : { kind: "found", json };
  return new Map(
    versions.map((version, index) => [
      version,
      createAvroCodec({
        schemas: new Map([[name, version.json]]),
        registryIdOf: () => (framing === "registry id" ? index : null),
        writers: {
          byFingerprint: (which) => known(byFingerprint.get(which)),
          byId: (id) => known(versions[id]?.json),
        },
      }),
    ]),
  );
}

/** Writes with one codec, and reads with another. */
function written(topic: Topic, [writer, reader]: readonly Codec[]): object {
  const record = { topic, key: null, value: RECORDS[topic] } as OutRecord; // the value of a topic is the topic's
  const value = writer!.encode(record);
  const decoded = reader!.decoderOf(topic)(aRawRecord({ value }));
  if (decoded.kind !== "decoded") throw new Error(JSON.stringify(decoded));
  return decoded.value;
}

/** What the reader must find: of its fields the writer's values, and its own defaults of those that the writer does not have. */
function expected(
  topic: Topic,
  [writer, reader]: readonly [Version, Version],
): object {
  const there = new Set(fieldsOf(writer.json).map(({ name }) => name));
  const value = RECORDS[topic] as unknown as Record<string, unknown>;
  return Object.fromEntries(
    fieldsOf(reader.json).map((field) => [
      field.name,
      there.has(field.name) && field.name in value
        ? value[field.name]
        : field.default,
    ]),
  );
}

describe.each(TOPICS)("versions of what is on `%s`", (topic) => {
  const versions = versionsOf(topic);
  const pairs = versions.flatMap((writer) =>
    versions.map((reader) => [writer, reader] as const),
  );

  test.each<Framing>(["fingerprint", "registry id"])(
    "each reads what each other has written, by %s",
    (framing) => {
      const codecs = codecsOf(topic, framing, versions);

      for (const pair of pairs) {
        const read = written(
          topic,
          pair.map((version) => codecs.get(version)!),
        );

        const wanted = expected(topic, pair);
        expect(Object.keys(read)).toEqual(Object.keys(wanted));
        // The other way round: a record inside of an older version lacks fields of today's.
        expect(plain(wanted)).toMatchObject(plain(read));
      }
    },
  );
});

/** As JSON: decoded records have prototypes of their own, and bytes are views. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

test("every record of ours is written here", () => {
  expect(new Set(TOPICS.map(recordNameOf))).toEqual(new Set(ours.keys()));
});
