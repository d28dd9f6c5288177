import { readSchemaFiles, type RecordName } from "@postrider/messaging";

interface Fields {
  readonly fields: readonly object[];
}

/** The schema as a later version may have it: with two fields more, which have defaults. `name` tells several later versions apart. */
export function nextSchema(json: string, name = "addedLater"): string {
  const schema = JSON.parse(json) as Fields; // each of schemas/*.avsc is a record
  return JSON.stringify({
    ...schema,
    fields: [
      // In front, so that everything behind it stands elsewhere than a reader of today expects.
      { name, type: ["null", "string"], default: null },
      ...schema.fields,
      { name: `${name}Count`, type: "long", default: 0 },
    ],
  });
}

/** Our schemas, all of them, as the later version of this name may have them. */
export function nextSchemas(name?: string): ReadonlyMap<RecordName, string> {
  return new Map(
    Array.from(readSchemaFiles(), ([record, json]) => [
      record,
      nextSchema(json, name),
    ]),
  );
}
