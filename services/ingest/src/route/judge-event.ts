import {
  type EventRules,
  fewProblems,
  type Problem,
  problemsOfParsed,
} from "@postrider/core";
import type { KeyRing } from "@postrider/runtime";
import { sealedSecretProblem } from "../secrets/sealed-secret-problem.ts";
import type { ValidEvent } from "../valid-event.ts";
import type { RouteInput } from "./read-event.ts";

export interface JudgeOptions {
  readonly rules: EventRules;
  readonly keyRing: KeyRing;
}

/** What an event is, before anybody asks who wants it or whether it came before. */
export type Judged =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | {
      readonly kind: "valid";
      readonly event: ValidEvent;
      /** Of the duplicate window; tenant ids hold no colon. */
      readonly key: string;
    };

/**
 * By the rules and keys of now: a record that is remembered is judged as it would be handled today, which is not always what
 * was decided when it was handled.
 */
export function judgeEvent(input: RouteInput, options: JudgeOptions): Judged {
  if (input.kind === "unreadable")
    return { kind: "rejected", problems: fewProblems([input.problem]) };
  const problems = problemsOfParsed(input, options.rules);
  const { tenantId } = input.event;
  if (problems.length > 0 || tenantId === null)
    return { kind: "rejected", problems };
  const event: ValidEvent = { ...input.event, tenantId };
  const { destination } = event;
  const sealed =
    destination && sealedSecretProblem(destination, tenantId, options.keyRing);
  if (sealed) return { kind: "rejected", problems: [sealed] };
  return { kind: "valid", event, key: `${tenantId}:${event.id}` };
}
