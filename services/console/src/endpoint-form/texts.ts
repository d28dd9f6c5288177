/** What is typed into the form, and what of it is sent. */
import type { FieldError } from "../api/api-problem.ts";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { exactDuration } from "../shown/durations.ts";
import { FIELD_NAMES, FIELDS, type FieldName } from "./fields.ts";

export type Texts = Readonly<Record<FieldName, string>>;
export type FieldProblems = Readonly<Partial<Record<FieldName, string>>>;

export function textsOf(endpoint: EndpointSettings): Texts {
  return textsBy((name) => FIELDS[name].shown(endpoint));
}

/** Of an endpoint that is to be made: the API's own defaults. */
export const NEW_TEXTS: Texts = {
  ...textsBy(() => ""),
  method: "POST",
  signing: "standard",
  timeoutMs: "15s",
  maxConcurrency: "16",
  secretType: "hmac",
};

function textsBy(textOf: (name: FieldName) => string): Texts {
  return Object.fromEntries(
    FIELD_NAMES.map((name) => [name, textOf(name)]),
  ) as Texts; // of all names
}

export interface ReadTexts {
  readonly body: Readonly<Record<string, unknown>>;
  readonly problems: FieldProblems;
}

/** A body with the fields whose text is another one than in `base`: no other field is touched by the change. */
export function changeOf(texts: Texts, base: Texts): ReadTexts {
  return readTexts(texts, changedNames(texts, base));
}

/** The body of a creation. What is left empty gets the API's default. */
export function creationOf(texts: Texts): ReadTexts {
  const given = FIELD_NAMES.filter(
    (name) =>
      texts[name].trim() !== "" &&
      // A secret of one's own says by itself what it is.
      !(name === "secretType" && texts.secret.trim() !== ""),
  );
  return readTexts(texts, given);
}

export function changedNames(texts: Texts, base: Texts): readonly FieldName[] {
  return FIELD_NAMES.filter((name) => texts[name] !== base[name]);
}

function readTexts(texts: Texts, names: readonly FieldName[]): ReadTexts {
  const read = names.map(
    (name) => [name, FIELDS[name].read(texts[name])] as const,
  );
  return {
    body: Object.fromEntries(
      read.flatMap(([name, each]) =>
        "value" in each ? [[name, each.value]] : [],
      ),
    ),
    problems: Object.fromEntries(
      read.flatMap(([name, each]) =>
        "problem" in each ? [[name, each.problem]] : [],
      ),
    ),
  };
}

/** After somebody else's change: what was typed is kept, all else is as it is now. A clash is a field that both have changed. */
export function rebased(of: {
  readonly typed: Texts;
  /** What the typing began with. */
  readonly base: Texts;
  readonly now: Texts;
}): { readonly texts: Texts; readonly clashes: readonly FieldName[] } {
  const { typed, base, now } = of;
  const mine = new Set(changedNames(typed, base));
  return {
    texts: textsBy((name) => (mine.has(name) ? typed : now)[name]),
    clashes: changedNames(now, base).filter(
      (name) => mine.has(name) && typed[name] !== now[name],
    ),
  };
}

/** The API's problems by the field that they are about; those about no field of the form are `others`. */
export function byField(errors: readonly FieldError[]): {
  readonly problems: FieldProblems;
  readonly others: readonly FieldError[];
} {
  const all = errors.map((error) => ({ error, ...placeOf(error) }));
  const ofFields = all.flatMap(({ name, ...rest }) =>
    name === null ? [] : [{ name, ...rest }],
  );
  return {
    problems: Object.fromEntries(
      [...Map.groupBy(ofFields, ({ name }) => name)].map(([name, of]) => [
        name,
        of.map(({ message }) => message).join("; "),
      ]),
    ),
    others: all.flatMap(({ name, error }) => (name === null ? [error] : [])),
  };
}

/** `eventTypes[1]` is the second entry of `eventTypes`, `headers.x-team` a header. */
function placeOf({ field, message }: FieldError): {
  readonly name: FieldName | null;
  readonly message: string;
} {
  const [first = ""] = field.split(/[.[]/);
  const name = FIELD_NAMES.find((each) => each === first) ?? null;
  const rest = field.slice(first.length);
  const entry = /^\[(\d+)\]$/.exec(rest)?.[1];
  const said = first.endsWith("Ms") ? withUnit(message) : message;
  if (entry !== undefined)
    return { name, message: `entry ${Number(entry) + 1} ${said}` };
  return {
    name,
    message: rest === "" ? said : `${rest.slice(1)} ${said}`,
  };
}

/** The API counts in ms, and the form is filled in with units. */
function withUnit(message: string): string {
  return message.replace(
    /^(must be at (?:least|most)) (\d+)$/,
    (_, what, ms) => `${what} ${exactDuration(Number(ms))}`,
  );
}
