import { topicName, type ObservedOutput } from "@postrider/messaging";
import type { Check } from "@postrider/runtime";
import { acceptEvents } from "./accept-events.ts";
import { createDoor, type Door } from "./door.ts";
import { DoorSpans } from "./door-spans.ts";
import type { EventsRequest } from "./read-request.ts";
import { PatientSender } from "./patient-sender.ts";
import {
  createOutputPart,
  type RolePart,
  type Shared,
} from "../shared-parts.ts";

/** The door role: the HTTP door and its own output. */
export function createDoorPart(
  shared: Shared,
): RolePart & { readonly door: Door } {
  const { config, effects } = shared;
  const output = createOutputPart(shared, ["events"]);
  const sender = new PatientSender({
    output,
    timeoutMs: config.doorTimeoutMs,
    maxWaitingBytes: config.doorQueueBytes,
  });
  const { tracer, clock } = effects;
  const spans = tracer.isOn
    ? new DoorSpans(tracer, topicName(config.topicPrefix, "events"))
    : null;
  const accept = (request: EventsRequest) =>
    acceptEvents(request, {
      rules: shared.rules,
      keyRing: shared.keyRing,
      sender,
      now: () => clock.now(),
      spans,
    });
  const door = createDoor({
    host: config.host,
    port: config.port,
    adminKey: config.adminKey,
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
        doorCheck(door, output, config.doorTimeoutMs),
      ],
    }),
  };
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
