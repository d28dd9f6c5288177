import type { OutRecord, Stage, Verdict } from "@postrider/messaging";
import { DuplicateWindow, type WindowLimits } from "./accepted-events.ts";
import { judgeEvent, type JudgeOptions } from "./judge-event.ts";
import type { RouteInput } from "./read-event.ts";
import { Routing, type RoutingOptions } from "./routed-records.ts";

export interface RouteOptions
  extends JudgeOptions, Omit<RoutingOptions, "maxPayloadBytes"> {
  readonly window: WindowLimits;
}

/** Handling never waits, so a lane's records are judged in the order of the topic however many are in flight. */
const LANE_CONCURRENCY = 10_000;

/** `events` → `deliveries`, `intake`, `dead-letters`: finds who wants each event. Every record gets an intake row, whatever it is. */
export function createRouteStage(options: RouteOptions): Stage<RouteInput> {
  const window = new DuplicateWindow(options.window);
  const { maxPayloadBytes } = options.rules;
  const routing: RoutingOptions = { ...options, maxPayloadBytes };
  return {
    laneOf: ({ raw }) => `${raw.topic}/${raw.partition}`,
    laneConcurrency: () => LANE_CONCURRENCY,
    remember({ raw, value }) {
      window.see(raw);
      const judged = judgeEvent(value, options);
      if (judged.kind === "accepted") window.accept(raw, judged.key);
    },
    forget(partition) {
      window.forget(partition);
    },
    unread(raw, reason, detail) {
      const problem = { field: "", rule: reason, message: detail };
      const value: RouteInput = { kind: "unreadable", problem };
      return new Routing({ raw, value }, routing).unread(reason, detail);
    },
    handle({ raw, value }) {
      window.see(raw);
      const judged = judgeEvent(value, options);
      const route = new Routing({ raw, value }, routing);
      if (judged.kind === "rejected")
        return emit(route.rejected(judged.problems));
      if (judged.kind === "refused") return emit(route.refused(judged.count));
      if (window.isRepeat(raw, judged.key)) return emit(route.duplicate());
      window.accept(raw, judged.key);
      return emit(route.accepted(judged));
    },
  };
}

function emit(records: Iterable<OutRecord>): Verdict {
  return { kind: "emit", records };
}
