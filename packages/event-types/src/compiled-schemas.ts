/**
 * The checks of schemas that events were held to lately. Invariant: they have at most `MOST_SUBSCHEMAS` subschemas together, the one
 * that was used last excepted; and a check is that of the schema's present text.
 */
import { boundedSchema } from "./bounded-schema.ts";
import { payloadCheck, type PayloadCheck } from "./payload-check.ts";

/** About 100 MB. Control lets the types of one tenant have half of it (`MAX_SUBSCHEMAS_OF_OWNER`). */
const MOST_SUBSCHEMAS = 20_000;

interface Compiled {
  readonly text: string;
  /** Null: this version of Postrider cannot check it. */
  readonly check: PayloadCheck | null;
  readonly subschemas: number;
}

export class CompiledSchemas {
  /** The one that was used longest ago comes first. */
  readonly #byName = new Map<string, Compiled>();
  readonly #most: number;
  #subschemas = 0;

  constructor(most: number = MOST_SUBSCHEMAS) {
    this.#most = most;
  }

  /** The check of the schema that an event type's `text` is. Compiles it if need be. */
  checkOf(name: string, text: string): PayloadCheck | null {
    const known = this.#byName.get(name);
    const compiled = known?.text === text ? known : compile(text);
    this.forget(name);
    this.#byName.set(name, compiled);
    this.#subschemas += compiled.subschemas;
    for (const oldest of this.#byName.keys()) {
      if (this.#subschemas <= this.#most || oldest === name) break;
      this.forget(oldest);
    }
    return compiled.check;
  }

  forget(name: string): void {
    this.#subschemas -= this.#byName.get(name)?.subschemas ?? 0;
    this.#byName.delete(name);
  }
}

function compile(text: string): Compiled {
  try {
    const read = boundedSchema(JSON.parse(text));
    if (read.kind === "schema")
      return { text, check: payloadCheck(read), subschemas: read.subschemas };
  } catch {
    // What control of a later version has accepted may be more than this one can check.
  }
  return { text, check: null, subschemas: 1 };
}
