import type { CelInput } from "@bufbuild/cel";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { parseJson, type ParsedJson } from "./parse-json.ts";

/** What a filter knows of an event as `event`. */
export interface EventFacts {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string;
  /** Epoch ms; null: the publisher gave no time. */
  readonly occurredAt: number | null;
}

/** The names of `event`'s fields. Not the headers: of past events only redacted ones are known, so what a filter would have done could not be told. */
export const EVENT_FIELDS: readonly (keyof EventFacts)[] = [
  "id",
  "type",
  "tenantId",
  "occurredAt",
];

/** One event, for any number of filters. Its payload is parsed when the first of them asks for it, and no second time. */
export class FilterSubject {
  readonly #facts: EventFacts;
  readonly #payload: Uint8Array;
  #event: CelInput | undefined;
  #parsed: ParsedJson | undefined;

  constructor(facts: EventFacts, payload: Uint8Array) {
    this.#facts = facts;
    this.#payload = payload;
  }

  get event(): CelInput {
    return (this.#event ??= eventOf(this.#facts));
  }

  get parsed(): ParsedJson {
    return (this.#parsed ??= parseJson(this.#payload));
  }
}

function eventOf({ id, type, tenantId, occurredAt }: EventFacts): CelInput {
  return new Map<string, CelInput>([
    ["id", id],
    ["type", type],
    ["tenantId", tenantId],
    ["occurredAt", occurredAt === null ? null : timestampFromMs(occurredAt)],
  ]);
}
