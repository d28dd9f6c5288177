import {
  type Endpoint,
  type EventRules,
  type FanOut,
  fanOut,
  type Problem,
  problemsOfParsed,
} from "@postrider/core";
import type { ValidEvent } from "../valid-event.ts";
import type { RouteInput } from "./read-event.ts";

export interface JudgeOptions {
  readonly rules: EventRules;
  /** More endpoints than this for one event: refused. */
  readonly maxFanOut: number;
  /** The tenant's endpoints now. */
  readonly endpointsOf: (tenantId: string) => Iterable<Endpoint>;
}

/** What an event is, before anybody asks whether it came before. */
export type Judged =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | { readonly kind: "refused"; readonly count: number }
  | {
      readonly kind: "accepted";
      readonly event: ValidEvent;
      /** Of the duplicate window; tenant ids hold no colon. */
      readonly key: string;
      readonly matched: FanOut | null;
    };

/** Depends on the event and the endpoints only, so that remembering a record judges it as handling it would. */
export function judgeEvent(input: RouteInput, options: JudgeOptions): Judged {
  if (input.kind === "unreadable")
    return { kind: "rejected", problems: [input.problem] };
  const problems = problemsOfParsed(input, options.rules);
  const { tenantId } = input.event;
  if (problems.length > 0 || tenantId === null)
    return { kind: "rejected", problems };
  const event: ValidEvent = { ...input.event, tenantId };
  const matched =
    event.destination === null
      ? fanOut(event.type, options.endpointsOf(tenantId))
      : null;
  const count = matched?.sent.length ?? 1;
  if (count > options.maxFanOut) return { kind: "refused", count };
  return { kind: "accepted", event, key: `${tenantId}:${event.id}`, matched };
}
