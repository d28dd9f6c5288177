/** A configured source: a topic that was there before Postrider, and how each of its records becomes an event. */
import type { FieldPath } from "./field-path.ts";

/** Where a field of the event comes from. */
export type SourceField =
  /** The same text for every record. */
  | { readonly kind: "literal"; readonly text: string }
  /** The first value of this header of the record. */
  | { readonly kind: "header"; readonly name: string }
  /** The value to which the path leads in the record's JSON, or in what its Avro was made into. `text` is the path as it was written. */
  | {
      readonly kind: "path";
      readonly path: FieldPath;
      readonly text: string;
    };

export const SOURCE_FORMATS = ["json", "avro"] as const;
/** `avro`: in the registry's framing; delivered as JSON. */
export type SourceFormat = (typeof SOURCE_FORMATS)[number];

export interface Source {
  /** Full name. A topic is in one source only, so it names the source. */
  readonly topic: string;
  readonly format: SourceFormat;
  readonly tenantId: SourceField;
  readonly type: SourceField;
  /** Null: an event is known by its record's coordinates. */
  readonly id: SourceField | null;
  /** The path `$`: the record's value as it is. */
  readonly payload: SourceField;
  /** Media type of the payload. */
  readonly contentType: string;
}

/** Something wrong in the configuration of sources. */
export interface SourceProblem {
  /** The source's topic, or its place in the list (`sources[2]`) where it has none; empty for the whole file. */
  readonly source: string;
  /** Such as `tenantId`; empty for the whole source. */
  readonly field: string;
  /** What stands there, as JSON; null if nothing does. */
  readonly got: string | null;
  /** What should stand there; completes "FIELD …". */
  readonly rule: string;
}
