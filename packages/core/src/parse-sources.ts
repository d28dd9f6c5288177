import { isFields, type Fields } from "./fields.ts";
import { DEFAULT_CONTENT_TYPE } from "./envelope-fields.ts";
import { isContentType } from "./content-type.ts";
import { FIELD_PATH_FORM, parseFieldPath } from "./field-path.ts";
import {
  SOURCE_FORMATS,
  type Source,
  type SourceField,
  type SourceFormat,
  type SourceProblem,
} from "./source.ts";
import { isEventType } from "./type-pattern.ts";
import { isTenantId } from "./validate-event.ts";

export interface ParsedSources {
  /** Those without a problem. */
  readonly sources: readonly Source[];
  /** Every problem, in the order of the text. */
  readonly problems: readonly SourceProblem[];
}

/** As Kafka takes it. Shorter than Kafka allows, so that topic, partition and offset fit an event's id. */
const TOPIC = /^[A-Za-z0-9._-]{1,200}$/;
const FIELDS: ReadonlySet<string> = new Set([
  "topic",
  "format",
  "tenantId",
  "type",
  "id",
  "payload",
  "contentType",
] satisfies readonly (keyof Source)[]);
const KINDS = ["literal", "header", "path"] as const;
const ONE_OF_KINDS = "must be {literal: TEXT}, {header: NAME} or {path: PATH}";
const WHOLE: SourceField = { kind: "path", path: [], text: "$" };
const LONGEST_GOT = 120;

/** Reads the content of a sources file, `{sources: [{topic, format, tenantId, type, id?, payload?, contentType?}]}`, and finds everything that is wrong with it. Never throws. */
export function parseSources(content: unknown): ParsedSources {
  const problems: SourceProblem[] = [];
  const whole = isFields(content) ? content : {};
  const { sources: list, ...others } = whole;
  if (!Array.isArray(list)) {
    const rule = "must be there, and be a list of sources";
    problems.push(problem({ field: "sources", rule }, list));
    return { sources: [], problems };
  }
  for (const [field, value] of Object.entries(others))
    problems.push(problem({ field, rule: "is not known here" }, value));
  const topics = new Set<string>();
  const sources: Source[] = [];
  list.forEach((entry: unknown, index) => {
    const reader = new SourceReader(entry, `sources[${index}]`);
    const source = reader.read();
    if (topics.has(source.topic))
      reader.refuse("topic", "is the topic of an earlier source, too");
    if (source.topic !== "") topics.add(source.topic);
    problems.push(...reader.problems);
    if (reader.problems.length === 0) sources.push(source);
  });
  return { sources, problems };
}

/** A problem in one line: `source shop.orders: tenantId must be …; got "a b"`. */
export function sourceProblemText(of: SourceProblem): string {
  const place = of.source === "" ? "" : `source ${of.source}: `;
  const got = of.got === null ? "" : `; got ${of.got}`;
  return `${place}${`${of.field} ${of.rule}`.trim()}${got}`;
}

/** Reads one source field by field and collects what is wrong. */
class SourceReader {
  readonly problems: SourceProblem[] = [];
  readonly #fields: Fields;
  readonly #name: string;

  constructor(entry: unknown, place: string) {
    this.#fields = isFields(entry) ? entry : {};
    const { topic } = this.#fields;
    this.#name = typeof topic === "string" && topic !== "" ? topic : place;
    if (!isFields(entry)) {
      const rule = "must be a source with its fields";
      this.problems.push(problem({ source: place, rule }, entry));
    }
  }

  read(): Source {
    const topic = this.#text("topic", isTopic, TOPIC_RULE) ?? "";
    const isFormat = (text: string): boolean =>
      SOURCE_FORMATS.some((format) => format === text);
    const format = this.#text(
      "format",
      isFormat,
      `must be ${SOURCE_FORMATS.join(" or ")}`,
    ) as SourceFormat | null; // `isFormat` has just tested it
    const source: Source = {
      topic,
      format: format ?? "json",
      tenantId: this.#required("tenantId", isTenantId, TENANT_RULE),
      type: this.#required("type", isEventType, TYPE_RULE),
      id: this.#field("id", () => false, ID_RULE),
      payload: this.#field("payload") ?? WHOLE,
      contentType:
        this.#fields["contentType"] === undefined
          ? DEFAULT_CONTENT_TYPE
          : (this.#text("contentType", isContentType, MEDIA_TYPE_RULE) ?? ""),
    };
    for (const field of Object.keys(this.#fields))
      if (!FIELDS.has(field))
        this.refuse(field, `is not known; there are ${[...FIELDS].join(", ")}`);
    return source;
  }

  refuse(field: string, rule: string): void {
    const source = this.#name;
    this.problems.push(problem({ source, field, rule }, this.#fields[field]));
  }

  #text(
    field: string,
    isFit: (text: string) => boolean,
    rule: string,
  ): string | null {
    const value = this.#fields[field];
    if (typeof value === "string" && isFit(value)) return value;
    this.refuse(field, rule);
    return null;
  }

  #required(
    name: string,
    isFit: (literal: string) => boolean,
    rule: string,
  ): SourceField {
    const field = this.#field(name, isFit, rule);
    if (field !== null) return field;
    if (this.#fields[name] === undefined) this.refuse(name, ONE_OF_KINDS);
    return WHOLE;
  }

  /** Null if the field is not there, or wrong. `isFit` judges a literal, which is the same for every record. */
  #field(
    name: string,
    isFit: (literal: string) => boolean = () => true,
    rule = "",
  ): SourceField | null {
    const value = this.#fields[name];
    if (value === undefined) return null;
    const [kind, ...more] = isFields(value) ? Object.keys(value) : [];
    const known = KINDS.find((one) => one === kind);
    const text = isFields(value) ? value[kind ?? ""] : undefined;
    if (known === undefined || more.length > 0 || typeof text !== "string") {
      this.refuse(name, `${ONE_OF_KINDS}, with a text (a number in quotes)`);
      return null;
    }
    switch (known) {
      case "literal":
        if (isFit(text)) return { kind: known, text };
        this.refuse(name, rule);
        return null;
      case "header":
        if (text !== "") return { kind: known, name: text };
        this.refuse(name, "must name a header");
        return null;
      case "path": {
        const path = parseFieldPath(text);
        if (path !== null) return { kind: known, path, text };
        this.refuse(name, `must be a path, ${FIELD_PATH_FORM}`);
        return null;
      }
    }
  }
}

const TOPIC_RULE =
  "must be the full name of a topic, at most 200 of A-Z a-z 0-9 . _ -";
const TENANT_RULE = "must match [A-Za-z0-9_-]{1,64}";
const TYPE_RULE = "must be dotted words, such as order.paid";
const MEDIA_TYPE_RULE = "must be a media type, such as application/json";
const ID_RULE =
  "cannot be a literal: each record would be a repeat of the first";

function isTopic(text: string): boolean {
  return TOPIC.test(text) && text !== "." && text !== "..";
}

function problem(
  { source = "", field = "", rule }: Partial<SourceProblem> & { rule: string },
  got: unknown,
): SourceProblem {
  const text = got === undefined ? null : shownAs(got);
  const isLong = text !== null && text.length > LONGEST_GOT;
  return {
    source,
    field,
    got: isLong ? `${text.slice(0, LONGEST_GOT)}…` : text,
    rule,
  };
}

/** As JSON. With YAML's anchors a value can hold itself. */
function shownAs(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "a value that holds itself, or is nested too deeply";
  }
}
