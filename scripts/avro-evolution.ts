/**
 * May this schema follow its earlier versions? FULL_TRANSITIVE: every version reads every other, because a log holds
 * records of all of them and a rolling upgrade or rollback has readers of all of them.
 */
import avro from "avsc";

/** A schema and its frozen versions, oldest first, as JSON text. */
export interface SchemaHistory {
  readonly name: string;
  /** Undefined when the schema was removed. */
  readonly current: string | undefined;
  readonly versions: readonly string[];
}

/** What is wrong with it, in sentences that say what to do; empty when nothing is. */
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

/** Equal but for what is written for people. */
export function isSameSchema(one: string, other: string): boolean {
  return (
    JSON.stringify(withoutDocs(JSON.parse(one))) ===
    JSON.stringify(withoutDocs(JSON.parse(other)))
  );
}

/** A record that stands in several schemas must be the same in each: one type is generated for all of them. */
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

/** A record at the top names the namespace that one within inherits. */
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
