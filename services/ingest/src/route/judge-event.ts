import {
  type EventRules,
  fewProblems,
  type Problem,
  problemsOfParsed,
  type WebhookEvent,
} from "@postrider/core";
import type { TypeCatalogue } from "@postrider/event-types";
import type { KeyRing } from "@postrider/runtime";
import { sealedSecretProblem } from "../secrets/sealed-secret-problem.ts";
import type { ValidEvent } from "../valid-event.ts";
import type { RouteInput } from "./read-event.ts";

export interface JudgeOptions {
  readonly rules: EventRules;
  readonly types: Pick<TypeCatalogue, "problemsOf">;
  readonly keyRing: KeyRing;
}

/** Whether an event is valid. Checked before its endpoints are looked up and before it is compared with earlier events. */
export type Judged =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | {
      /** `unfit`: valid, and not what its tenant's event types allow. */
      readonly kind: "valid" | "unfit";
      readonly event: ValidEvent;
      /** The key in the duplicate window: `tenantId:eventId`. Unambiguous, because a tenant id contains no colon. */
      readonly key: string;
      /** None where it is valid. */
      readonly problems: readonly Problem[];
    };

/**
 * Judges an event by the current rules, event types and encryption keys. So a record that is remembered is judged as it would be handled
 * now, which may differ from the decision when it was handled.
 */
export function judgeEvent(input: RouteInput, options: JudgeOptions): Judged {
  if (input.kind === "unreadable")
    return { kind: "rejected", problems: fewProblems([input.problem]) };
  const problems = problemsOfParsed(input, options.rules);
  const { event } = input;
  if (problems.length > 0 || !hasTenant(event))
    return { kind: "rejected", problems };
  const { destination, tenantId } = event;
  const sealed =
    destination && sealedSecretProblem(destination, tenantId, options.keyRing);
  if (sealed) return { kind: "rejected", problems: [sealed] };
  const unfit = options.types.problemsOf(event);
  return {
    kind: unfit.length > 0 ? "unfit" : "valid",
    event,
    key: `${tenantId}:${event.id}`,
    problems: unfit,
  };
}

function hasTenant(event: WebhookEvent): event is ValidEvent {
  return event.tenantId !== null;
}
