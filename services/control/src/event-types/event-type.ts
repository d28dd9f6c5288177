import type { EpochMs, EventType } from "@postrider/core";
import { z } from "zod";
import { rfc3339 } from "../http/rfc3339.ts";
import { listOf, nextCursor, shownTime } from "../http/shown.ts";

/** What a new event type is to be. */
export interface EventTypeCreation {
  readonly name: string;
  readonly tenantId: string | null;
  readonly description: string;
  /** Null: none. */
  readonly schema: unknown;
  readonly example: unknown;
}
/** What is left out stays as it is. */
export interface EventTypeChange {
  readonly description?: string | undefined;
  readonly schema?: unknown;
  readonly example?: unknown;
}

export const eventTypeView = z
  .strictObject({
    name: z.string(),
    tenantId: z
      .string()
      .nullable()
      .meta({ description: "The one tenant whose type it is; null: all" }),
    description: z.string(),
    schema: z.unknown().meta({
      description: "JSON Schema of the payload; null: nothing is said of it",
    }),
    example: z
      .unknown()
      .meta({ description: "A payload that satisfies it; null: none" }),
    version: z.int().meta({ description: "Goes up by one with each change" }),
    createdAt: shownTime,
    updatedAt: shownTime,
  })
  .meta({ id: "EventType" });
export type EventTypeView = z.infer<typeof eventTypeView>;

export const eventTypePage = z
  .strictObject({ eventTypes: listOf(eventTypeView), nextCursor })
  .meta({ id: "EventTypePage" });

export function newEventType(
  { name, tenantId, description, schema, example }: EventTypeCreation,
  now: EpochMs,
): EventType {
  return {
    name,
    tenantId,
    description,
    schema: textOf(schema),
    example: textOf(example),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** The next version; the type itself where nothing changes. */
export function changedEventType(
  before: EventType,
  change: EventTypeChange,
  now: EpochMs,
): EventType {
  const { description = before.description } = change;
  const schema =
    change.schema === undefined ? before.schema : textOf(change.schema);
  const example =
    change.example === undefined ? before.example : textOf(change.example);
  const isSame =
    description === before.description &&
    schema === before.schema &&
    example === before.example;
  if (isSame) return before;
  const version = before.version + 1;
  return { ...before, description, schema, example, version, updatedAt: now };
}

export function viewOf(type: EventType): EventTypeView {
  return {
    name: type.name,
    tenantId: type.tenantId,
    description: type.description,
    schema: parsed(type.schema),
    example: parsed(type.example),
    version: type.version,
    createdAt: rfc3339(type.createdAt),
    updatedAt: rfc3339(type.updatedAt),
  };
}

export function parsed(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

function textOf(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
