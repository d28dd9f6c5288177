/**
 * Handles a `gone` signal (a receiver answered 410): disables the endpoint on which it was seen. A signal for an older
 * version does nothing, because somebody has changed or enabled the endpoint since. Other kinds of signals are ignored.
 *
 * Only the owner runs this stage. A signal is done when the change was read back, or when there is nothing to change.
 * If the tenure ends before that, `handle` does not return: the signal stays uncommitted and the next owner reads it.
 */
import type { Endpoint, Signal } from "@postrider/core";
import type { Stage, Verdict } from "@postrider/messaging";
import type { Log } from "@postrider/runtime";
import { ownCause } from "../audit/cause.ts";
import type { EndpointWriter } from "./endpoint-writer.ts";
import { disabledEndpoint } from "./endpoint.ts";
import { ProblemError } from "@postrider/http";

const NOTHING_FOLLOWS: Verdict = { kind: "emit", records: [] };

export function createGoneStage(options: {
  readonly writer: EndpointWriter;
  readonly log: Log;
}): Stage<Signal> {
  const { writer, log } = options;
  return {
    laneOf: ({ value }) => value.endpointId,
    laneConcurrency: () => 1,
    async handle({ value: signal }, aborted) {
      if (signal.kind !== "gone") return NOTHING_FOLLOWS;
      try {
        const reason = reasonOf(signal);
        await writer.change(
          signal.endpointId,
          { condition: "any", callersTenant: null, cause: ownCause(reason) },
          (endpoint, now) =>
            shouldDisable(endpoint, signal)
              ? disabledEndpoint(endpoint, reason, now)
              : endpoint,
        );
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (error.code === "not_owner" || error.code === "write_uncertain")
          return await untilStopped(aborted);
        // A retry would fail again: the endpoint does not fit its schema.
        if (error.code === "invalid")
          return { kind: "reject", reason: "invalid", detail: error.message };
        if (error.code !== "not_found") throw error;
      }
      log.info("signal.handled", {
        endpointId: signal.endpointId,
        kind: signal.kind,
        endpointVersion: signal.endpointVersion,
      });
      return NOTHING_FOLLOWS;
    },
  };
}

/** True if the endpoint is at the version that answered 410, and is not disabled already. */
export function shouldDisable(endpoint: Endpoint, signal: Signal): boolean {
  return (
    endpoint.version === signal.endpointVersion && endpoint.state !== "disabled"
  );
}

function reasonOf(signal: Signal): string {
  const what = signal.detail === "" ? "answered 410 Gone" : signal.detail;
  return `gone: ${what}`;
}

/** Waits until the runner stops, and then rejects. We are no longer the owner, so the runner is about to be stopped. */
function untilStopped(aborted: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new Error("the tenure has ended"));
    if (aborted.aborted) stop();
    else aborted.addEventListener("abort", stop, { once: true });
  });
}
