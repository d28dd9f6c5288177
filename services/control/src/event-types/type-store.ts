/**
 * The event types as the topic `control` has them, and the writes that change them. Invariant: a change starts from the version that
 * the table shows after the change before it was read back, so versions go up by one; and all types together are at most
 * `MOST_BYTES`, because every process of ingest and control keeps them in memory.
 */
import { controlEntry, type EpochMs, type EventType } from "@postrider/core";
import { typeEntry } from "@postrider/event-types";
import type { ProducerRecord } from "@postrider/messaging";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import type { VersionCondition } from "../http/if-match.ts";
import type { ControlStoreOptions } from "../writer/control-store.ts";
import type { Tenure } from "../writer/ownership.ts";
import { newEventType, type EventTypeCreation } from "./event-type.ts";
import { subschemaLimit } from "./subschema-limit.ts";
import { staleVersion, taken, tooMuch, unknownType } from "./type-problems.ts";

/** Which type: a tenant's own, or for null the one of every tenant. */
export interface TypeName {
  readonly tenantId: string | null;
  readonly name: string;
}

export interface TypeStore {
  all(): EventType[];
  /** Exactly this one. Throws the problem `not_found`. */
  get(of: TypeName): EventType;
  /** Throws the problem `conflict` if there is one already, or too much. */
  create(creation: EventTypeCreation, cause: Cause): Promise<EventType>;
  /** Writes the result of `apply`; where it returns the type itself, nothing is written. */
  change(
    of: TypeName,
    terms: TypeTerms,
    apply: (before: EventType, now: EpochMs) => EventType,
  ): Promise<EventType>;
  remove(of: TypeName, terms: TypeTerms): Promise<void>;
}

export interface TypeTerms {
  readonly condition: VersionCondition;
  readonly cause: Cause;
}

export interface TypeStoreOptions extends ControlStoreOptions {
  readonly audit: AuditTrail;
  /** Default 32 MiB. */
  readonly mostBytes?: number;
  /** Of one tenant, so that it leaves room for others. Default 2 MiB. */
  readonly mostBytesOfTenant?: number;
  /** Of one tenant, and of every tenant's types. Default 10,000. */
  readonly mostSubschemas?: number;
}

export function createTypeStore(options: TypeStoreOptions): TypeStore {
  const { tenureWriter, table, encode, topic, clock, log } = options;
  const { mostBytes = 32 << 20, mostBytesOfTenant = 2 << 20 } = options;
  const requireFewSubschemas = subschemaLimit(options.mostSubschemas);
  const { inTurn, owner } = tenureWriter;

  const stored = ({ tenantId, name }: TypeName): EventType | undefined =>
    table.get(typeEntry(tenantId, name))?.eventType ?? undefined;

  function all(): EventType[] {
    const types: EventType[] = [];
    for (const [, { eventType }] of table.entries())
      if (eventType !== null) types.push(eventType);
    return types;
  }

  function get(of: TypeName): EventType {
    const type = stored(of);
    if (type === undefined) throw unknownType(of, all());
    return type;
  }

  function current(of: TypeName, condition: VersionCondition): EventType {
    const type = get(of);
    if (condition !== "any" && condition !== type.version)
      throw staleVersion(type, condition);
    return type;
  }

  function recordOf(of: TypeName, type: EventType | null): ProducerRecord {
    const name = typeEntry(of.tenantId, of.name);
    const value =
      type === null
        ? null
        : encode({
            topic: "control",
            key: name,
            value: controlEntry({ eventType: type }),
          });
    return { topic, partition: 0, key: Buffer.from(name), value };
  }

  /** Writes the change and its audit record as one. */
  async function write(
    tenure: Tenure,
    of: TypeName,
    change: {
      readonly before: EventType | null;
      readonly after: EventType | null;
      readonly cause: Cause;
    },
  ): Promise<void> {
    const { before, after, cause } = change;
    const action =
      before === null ? "created" : after === null ? "deleted" : "changed";
    const records = [
      recordOf(of, after),
      options.audit.recordOf({
        ...cause,
        tenantId: of.tenantId,
        subject: "event_type",
        subjectId: of.name,
        action,
        detail: detailOf(before, after),
      }),
    ];
    await tenureWriter.write(tenure, records, () => {
      if (stored(of)?.version !== after?.version)
        throw new Error("the table does not show the event type after it");
    });
    log.info("eventType.written", {
      eventType: of.name,
      tenantId: of.tenantId,
      action,
      version: after?.version ?? null,
      actor: cause.actor,
      requestId: cause.requestId,
    });
  }

  /** Throws where the type would make the catalogue too large. */
  function requireRoom(of: TypeName, type: EventType): void {
    let whole = bytesOf(type);
    let own = whole;
    const owns = [type];
    for (const other of all()) {
      if (isSame(other, of)) continue;
      whole += bytesOf(other);
      if (other.tenantId !== of.tenantId) continue;
      own += bytesOf(other);
      owns.push(other);
    }
    if (of.tenantId !== null && own > mostBytesOfTenant)
      throw tooMuch(mostBytesOfTenant, `the tenant ${of.tenantId}`);
    if (whole > mostBytes) throw tooMuch(mostBytes, "all tenants");
    requireFewSubschemas(owns, stored(of));
  }

  return {
    all,
    get,
    create: (creation, cause) =>
      inTurn(async () => {
        const tenure = owner();
        const type = newEventType(creation, clock.now());
        if (stored(type) !== undefined) throw taken(type);
        requireRoom(type, type);
        await write(tenure, type, { before: null, after: type, cause });
        return type;
      }),
    change: (of, { condition, cause }, apply) =>
      inTurn(async () => {
        const tenure = owner();
        const before = current(of, condition);
        const after = apply(before, clock.now());
        if (after === before) return before;
        requireRoom(of, after);
        await write(tenure, of, { before, after, cause });
        return after;
      }),
    remove: (of, { condition, cause }) =>
      inTurn(async () => {
        const tenure = owner();
        const before = current(of, condition);
        await write(tenure, of, { before, after: null, cause });
      }),
  };
}

function isSame(a: TypeName, b: TypeName): boolean {
  return a.name === b.name && a.tenantId === b.tenantId;
}

/** About as much as it takes in memory. */
function bytesOf({ name, description, schema, example }: EventType): number {
  const texts = [name, description, schema ?? "", example ?? ""];
  return 256 + texts.reduce((sum, text) => sum + text.length, 0);
}

const DETAILS = ["description", "schema", "example"] as const;

/** What the audit trail keeps: each changed field, long texts cut. */
function detailOf(
  before: EventType | null,
  after: EventType | null,
): Record<string, unknown> {
  const detail: Record<string, unknown> = {};
  for (const field of DETAILS) {
    const from = before?.[field] || undefined;
    const to = after?.[field] || undefined;
    if (from !== to) detail[field] = { from, to };
  }
  return detail;
}
