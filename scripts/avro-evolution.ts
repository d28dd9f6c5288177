/**
 * Judges whether a schema may follow its earlier versions. The rule is FULL_TRANSITIVE: every version can read records of
 * every other, because a log holds records of all versions, and a rolling upgrade or a rollback has readers of all versions.
 */
import avro from "avsc";

/** A schema with its frozen versions, oldest first, as JSON texts. */
export interface SchemaHistory {
  readonly name: string;
  /** The current text; undefined when the schema was removed. */
  readonly current: string | undefined;
  readonly versions: readonly string[];
}

/** The problems, as sentences that tell what to do; empty when there are none. */
export function judgeEvolution(history: SchemaHistory): string[] {
  const { name, current, versions } = history;
  if (current === undefined)
    return [
      `${name}: has frozen versions but no schema. Records of it are still in logs: keep the schema.`,
    ];
  const problems = versions.flatMap((version, i) => [
    ...unreadable(name, { reader: current, writer: version }, [
      "today's",
      `version ${i + 1}`,
    ]),
    ...unreadable(name, { reader: version, writer: current }, [
      `version ${i + 1}`,
      "today's",
    ]),
  ]);
  if (problems.length > 0) return problems;
  const latest = versions.at(-1);
  return latest !== undefined && isSameSchema(current, latest)
    ? []
    : [
        `${name}: ${latest === undefined ? "is new" : `differs from version ${versions.length}`} and is not frozen. Run: node scripts/check-schemas.ts --freeze`,
      ];
}

/** True if the schemas differ at most in their texts for people. */
export function isSameSchema(one: string, other: string): boolean {
  return (
    JSON.stringify(withoutDocs(JSON.parse(one))) ===
    JSON.stringify(withoutDocs(JSON.parse(other)))
  );
}

/** A record that several schemas contain must be the same in each, because one type is generated for all of them. */
export function judgeRepeatedRecords(
  schemas: ReadonlyMap<string, string>,
): string[] {
  const seen = new Map<
    string,
    { readonly file: string; readonly text: string }
  >();
  const problems: string[] = [];
  for (const [file, json] of schemas)
    for (const record of recordsIn(JSON.parse(json))) {
      const text = JSON.stringify(withoutNamespace(record));
      const known = seen.get(record.name);
      if (known === undefined) seen.set(record.name, { file, text });
      else if (known.text !== text)
        problems.push(
          `${record.name}: differs between ${known.file} and ${file}. Make the definitions equal.`,
        );
    }
  return problems;
}

interface AvroRecord {
  readonly type: "record";
  readonly name: string;
}

function unreadable(
  name: string,
  schemas: { readonly reader: string; readonly writer: string },
  [reader, writer]: readonly [string, string],
): string[] {
  try {
    const read = avro.Type.forSchema(JSON.parse(schemas.reader) as avro.Schema);
    read.createResolver(
      avro.Type.forSchema(JSON.parse(schemas.writer) as avro.Schema),
    );
    return [];
  } catch (error) {
    return [
      `${name}: ${reader} cannot read ${writer}: ${error instanceof Error ? error.message : String(error)}. Add fields with a default, remove only fields with one, never change a type.`,
    ];
  }
}

function* recordsIn(schema: unknown): Generator<AvroRecord> {
  if (typeof schema !== "object" || schema === null) return;
  if (isRecord(schema)) yield schema;
  for (const part of Object.values(schema)) yield* recordsIn(part);
}

function isRecord(schema: object): schema is AvroRecord {
  return "type" in schema && schema.type === "record" && "name" in schema;
}

/** Removes the namespace: a record at the top names it, while a nested record inherits it. */
function withoutNamespace(record: AvroRecord): object {
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => name !== "namespace"),
  );
}

function withoutDocs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDocs);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => name !== "doc" || typeof value !== "string")
      .map(([name, value]) => [name, withoutDocs(value)]),
  );
}
