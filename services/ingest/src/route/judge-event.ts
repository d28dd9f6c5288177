import {
  type EventRules,
  fewProblems,
  type Problem,
  problemsOfParsed,
} from "@postrider/core";
import type { ValidEvent } from "../valid-event.ts";
import type { RouteInput } from "./read-event.ts";

/** What an event is, before anybody asks who wants it or whether it came before. */
export type Judged =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | {
      readonly kind: "valid";
      readonly event: ValidEvent;
      /** Of the duplicate window; tenant ids hold no colon. */
      readonly key: string;
    };

/** Depends on the event only, so that remembering a record judges it as handling it would. */
export function judgeEvent(input: RouteInput, rules: EventRules): Judged {
  if (input.kind === "unreadable")
    return { kind: "rejected", problems: fewProblems([input.problem]) };
  const problems = problemsOfParsed(input, rules);
  const { tenantId } = input.event;
  if (problems.length > 0 || tenantId === null)
    return { kind: "rejected", problems };
  const event: ValidEvent = { ...input.event, tenantId };
  return { kind: "valid", event, key: `${tenantId}:${event.id}` };
}
