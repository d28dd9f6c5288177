/**
 * Handles signals as `gone` does, and tells the operator of those that the operator wants to hear of. A signal is done once its event
 * is acknowledged, so it is told at least once; what is told faster than the pace waits here, and in `signals`.
 */
import type { Endpoint, Signal } from "@postrider/core";
import type { Stage } from "@postrider/messaging";
import { eventRecord, ofSignal } from "./operational-event.ts";
import type { Pace } from "./pace.ts";

export function createToldSignalsStage(options: {
  readonly gone: Stage<Signal>;
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly operationsTenant: string;
  readonly pace: Pace;
}): Stage<Signal> {
  const { gone, endpoints, operationsTenant, pace } = options;
  return {
    ...gone,
    async handle(record, signal) {
      const verdict = await gone.handle(record, signal);
      if (verdict.kind !== "emit") return verdict;
      const { value, raw } = record;
      const endpoint = endpoints.get(value.endpointId);
      const told = ofSignal(value, { raw, endpoint, operationsTenant });
      if (told === null) return verdict;
      await pace(signal);
      const records = [...verdict.records, eventRecord(operationsTenant, told)];
      return { kind: "emit", records };
    },
  };
}
