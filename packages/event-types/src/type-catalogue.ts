/**
 * The catalogue of event types and the tenants' policies, as events are held to them. Invariant: it has what its table has told last.
 * A tenant without a policy costs one look-up in a map that is usually empty.
 */
import {
  type ControlEntry,
  isJsonContentType,
  isOperationalType,
  type Problem,
  type WebhookEvent,
} from "@postrider/core";
import { CompiledSchemas } from "./compiled-schemas.ts";
import { POLICY_START, TYPE_START, typeEntry } from "./entry-names.ts";
import type { PayloadCheck } from "./payload-check.ts";
import type { TypeLevel } from "./type-level.ts";

/** The fields of an event that it is judged by; its tenant is known. */
export type JudgedEvent = Pick<
  WebhookEvent,
  "type" | "contentType" | "payload"
> & { readonly tenantId: string };

const NONE: readonly Problem[] = [];

export class TypeCatalogue {
  readonly #levels = new Map<string, Exclude<TypeLevel, "off">>();
  /** Null: the type has no schema. */
  readonly #schemas = new Map<string, string | null>();
  readonly #compiled = new CompiledSchemas();
  /** Why it may lack types or policies, as a sentence; null if it lacks none. */
  readonly #behind: () => string | null;

  constructor(behind: () => string | null = () => null) {
    this.#behind = behind;
  }

  /** As `behind` of its table; null also while no tenant has a policy, because then nothing is decided by it. */
  behind(): string | null {
    return this.#levels.size === 0 ? null : this.#behind();
  }

  /** Applies a change of the topic `control`; `undefined`: the record is gone. */
  set(name: string, entry: ControlEntry | undefined): void {
    if (name.startsWith(POLICY_START)) {
      const tenantId = name.slice(POLICY_START.length);
      const level = entry?.typePolicy?.level;
      // A level of a later version counts as none: what it asks for is not known.
      if (level === "known" || level === "schema")
        this.#levels.set(tenantId, level);
      else this.#levels.delete(tenantId);
    } else if (name.startsWith(TYPE_START)) {
      const type = entry?.eventType ?? undefined;
      if (type === undefined) this.#schemas.delete(name);
      else this.#schemas.set(name, type.schema);
      if (typeof type?.schema !== "string") this.#compiled.forget(name);
    }
  }

  /** Why the policy of the event's tenant refuses it; empty: it does not. Never throws. */
  problemsOf(event: JudgedEvent): readonly Problem[] {
    if (this.#levels.size === 0) return NONE;
    const level = this.#levels.get(event.tenantId);
    // What Postrider tells itself is in no tenant's catalogue.
    if (level === undefined || isOperationalType(event.type)) return NONE;
    const name = this.#nameOf(event);
    if (name === undefined) return [UNKNOWN_TYPE];
    const schema = this.#schemas.get(name) ?? null;
    if (level === "known" || schema === null) return NONE;
    const check = this.#compiled.checkOf(name, schema);
    return check === null ? NONE : payloadProblems(event, check);
  }

  /** The tenant's own type comes before the one of every tenant. */
  #nameOf({ tenantId, type }: JudgedEvent): string | undefined {
    const own = typeEntry(tenantId, type);
    if (this.#schemas.has(own)) return own;
    const common = typeEntry(null, type);
    return this.#schemas.has(common) ? common : undefined;
  }
}

/** The catalogue as a table of the topic `control` has it. Call it before the table is started. */
export function followTypes(table: {
  onChange(
    listener: (name: string, entry: ControlEntry | undefined) => void,
  ): unknown;
  behind(): string | null;
}): TypeCatalogue {
  const catalogue = new TypeCatalogue(() => table.behind());
  table.onChange((name, entry) => catalogue.set(name, entry));
  return catalogue;
}

const UNKNOWN_TYPE: Problem = {
  field: "type",
  rule: "known_type",
  message: "is not in the tenant's catalogue of event types",
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The payload is parsed for this alone: what is delivered stays its bytes. A 64-bit integer is rounded here, and is an integer still. */
function payloadProblems(
  { contentType, payload }: JudgedEvent,
  check: PayloadCheck,
): readonly Problem[] {
  if (!isJsonContentType(contentType))
    return [
      {
        field: "contentType",
        rule: "schema.content_type",
        message: "must be JSON: the type has a schema",
      },
    ];
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8.decode(payload));
  } catch {
    return [
      { field: "payload", rule: "schema.json", message: "must be valid JSON" },
    ];
  }
  return check(parsed, payload.length);
}
