import type { ControlEntry } from "@postrider/core";
import { followKeys } from "@postrider/http";
import {
  topicName,
  type ObservedOutput,
  type Table,
} from "@postrider/messaging";
import type { Check } from "@postrider/runtime";
import { acceptEvents } from "./accept-events.ts";
import { createDoor, type Door } from "./door.ts";
import { DoorSpans } from "./door-spans.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { EventsRequest } from "./read-request.ts";
import { PatientSender } from "./patient-sender.ts";
import {
  createOutputPart,
  type RolePart,
  type Shared,
} from "../shared-parts.ts";

/** An event takes about 3 KB beside its bytes while it waits for Kafka, so so many take 60 MB. At 10,000 events a second they are those of two seconds. */
const MAX_WAITING_EVENTS = 20_000;

/** The door role: the API keys, the HTTP door and its own output. */
export function createDoorPart(
  shared: Shared,
): RolePart & { readonly door: Door } {
  const { config, effects, entries, types } = shared;
  const output = createOutputPart(shared, ["events"]);
  const sender = new PatientSender({
    output,
    timeoutMs: config.doorTimeoutMs,
    maxWaitingBytes: config.doorQueueBytes,
    maxWaitingRecords: MAX_WAITING_EVENTS,
  });
  effects.meter.gauge(
    "postrider_door_keys_age_seconds",
    "How old what the door knows of the API keys may be: since when it was last known to have read all of them. 0 until it has opened. After a day no key is accepted.",
    [],
    (gauge) => {
      const ageMs = entries.ageMs();
      gauge.set(Number.isFinite(ageMs) ? ageMs / 1_000 : 0);
    },
  );
  const { tracer, clock } = effects;
  const spans = tracer.isOn
    ? new DoorSpans(tracer, topicName(config.topicPrefix, "events"))
    : null;
  const keys = new IdempotencyKeys(() => clock.monotonic());
  const accept = (request: EventsRequest) =>
    acceptEvents(request, {
      rules: shared.rules,
      types,
      keyRing: shared.keyRing,
      sender,
      keys,
      now: () => clock.now(),
      spans,
    });
  const door = createDoor({
    host: config.host,
    port: config.port,
    adminKey: config.adminKey,
    keys: followKeys(entries),
    maxBodyBytes: config.maxBodyBytes,
    maxUploadBytes: config.doorQueueBytes,
    accept:
      spans === null ? accept : (request) => spans.request(request, accept),
    ...effects,
  });
  return {
    door,
    parts: [output, door],
    health: () => ({
      live: output.health().live,
      ready: [
        ...output.health().ready.map((check) => ({
          ...check,
          name: `door-${check.name}`,
        })),
        keysCheck(door, entries),
        doorCheck(door, output, config.doorTimeoutMs),
      ],
    }),
  };
}

/**
 * Readiness of the API keys. The door opens only once they were read to their end. A table that falls behind after that is told, and
 * fails nothing: the keys that it has still count, and without the door nobody could publish because a key may be missing.
 */
function keysCheck(door: Door, entries: Table<ControlEntry>): Check {
  const behind = entries.behind();
  const isOk = behind === null || door.isListening();
  const detail =
    behind === null
      ? "read to their end"
      : `${isOk ? "degraded: " : ""}${behind}`;
  return { name: "door-keys", isOk, detail };
}

/** Readiness of the door. It checks the age of the oldest unacknowledged event, because nothing else shows a broker that is connected but does not answer. */
function doorCheck(
  door: Door,
  output: ObservedOutput,
  timeoutMs: number,
): Check {
  const oldestMs = Math.round(output.oldestUnacknowledgedMs());
  const check = (isOk: boolean, detail: string): Check => ({
    name: "door",
    isOk,
    detail,
  });
  if (!door.isListening()) return check(false, "not listening");
  return oldestMs > timeoutMs
    ? check(false, `Kafka has not acknowledged an event for ${oldestMs} ms`)
    : check(true, `at ${door.url()}`);
}
