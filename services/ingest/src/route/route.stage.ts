import { crc32 } from "node:zlib";
import { isOperationalType } from "@postrider/core";
import type {
  OutRecord,
  Stage,
  TopicPartition,
  Verdict,
} from "@postrider/messaging";
import { AcceptedEvents, type WindowLimits } from "./accepted-events.ts";
import type { EndpointFilters } from "./endpoint-filters.ts";
import type { EndpointIndex } from "./endpoint-index.ts";
import { judgeEvent, type JudgeOptions } from "./judge-event.ts";
import type { RouteInput } from "./read-event.ts";
import type { RouteSpans } from "./route-spans.ts";
import { type Matched, Routing, type RoutingOptions } from "./routing.ts";
import type { ValidEvent } from "../valid-event.ts";

export interface RouteOptions
  extends JudgeOptions, Omit<RoutingOptions, "recordedPayloadBytes"> {
  /** Whether intake records carry the payload. */
  readonly recordPayloads: "all" | "none";
  /** The current endpoints of every tenant. */
  readonly endpoints: Pick<EndpointIndex, "fanOut" | "mostWanting">;
  readonly filters: Pick<EndpointFilters, "leaveOut">;
  readonly window: WindowLimits;
  /** Null without tracing. */
  readonly spans: RouteSpans | null;
}

/**
 * The route stage: `events`, or the topic of a configured source → `deliveries`, `intake`, `dead-letters`. Finds the endpoints that want each event. Every record gets
 * a record in `intake`; a batch that cannot be read gets one for the whole batch. A lane is a partition here, not an endpoint, so
 * the events of a partition are judged in the order of the log.
 *
 * A repeat is recognised in `handle` and not by `Stage.isRepeat`, after which nothing follows: a repeat needs its intake record, too.
 */
export function createRouteStage(options: RouteOptions): Stage<RouteInput> {
  const acceptedEvents = new AcceptedEvents(options.window);
  const { endpoints, filters, maxFanOut, spans } = options;
  const routing: RoutingOptions = {
    ...options,
    recordedPayloadBytes:
      options.recordPayloads === "all" ? options.rules.maxPayloadBytes : 0,
  };
  const lanes = new LaneNames();
  return {
    laneOf: ({ raw }) => lanes.of(raw),
    // Handling never waits, so there is never a second record in flight.
    laneConcurrency: () => 1,
    remember({ raw, value }) {
      acceptedEvents.moveTo(raw);
      const judged = judgeEvent(value, options);
      if (judged.kind !== "valid") return;
      const { event, key } = judged;
      // What was decided about this record is not stored, so it is judged again, by the rules, event types, keys and endpoints of now. They may
      // have changed since: then a record that was refused counts as accepted, and the same event sent again is dropped as a
      // duplicate. That is why the intake of a refused event asks for a new id.
      //
      // `mostWanting` is an upper bound, which is cheaper than `fanOut`. So near `maxFanOut` an accepted event may not be
      // remembered. At worst a repeat is then delivered, with the same webhook-id.
      const mostEndpoints =
        event.destination === null
          ? endpoints.mostWanting(event.tenantId, event.type)
          : 1;
      if (mostEndpoints <= maxFanOut)
        acceptedEvents.accept(raw, key, contentOf(event));
    },
    forget(partition) {
      acceptedEvents.forget(partition);
    },
    unread(raw, reason, detail) {
      return Routing.ofUnread(raw, routing).unread(reason, detail);
    },
    handle({ raw, value }) {
      acceptedEvents.moveTo(raw);
      const route = new Routing({ raw, value }, routing);
      const span = spans?.begin({ raw, value }, route.known) ?? null;
      const judged = judgeEvent(value, options);
      // `emit`, not the verdict `reject`: the dead letter must be without secrets (rejected-record.ts), and `intake` gets a record, too.
      if (judged.kind === "rejected") {
        span?.decided("invalid", { rule: judged.problems[0]?.rule });
        return emit(route.rejected(judged.problems));
      }
      const { event, key } = judged;
      const content = contentOf(event);
      if (acceptedEvents.isRepeat(raw, key)) {
        span?.decided("duplicate");
        // What Postrider counts has changed when it tells of it again, and nobody published anything wrong.
        const isOther =
          !isOperationalType(event.type) &&
          acceptedEvents.isOther(raw, key, content);
        return emit(route.duplicate(isOther));
      }
      // After the window: what was accepted before there was a policy stays accepted.
      if (judged.kind === "unfit") {
        span?.decided("invalid", { rule: judged.problems[0]?.rule });
        return emit(route.rejected(judged.problems));
      }
      const wanting =
        event.destination === null
          ? endpoints.fanOut(event.tenantId, event.type)
          : null;
      const most = wanting?.sent.length ?? 1;
      // Before the filters are asked: it bounds how many are.
      if (most > maxFanOut) {
        span?.decided("refused");
        return emit(route.refused(most));
      }
      acceptedEvents.accept(raw, key, content);
      const matched =
        wanting?.hasFilters === true
          ? filters.leaveOut(event, wanting)
          : wanting;
      if (span === null) return emit(route.accepted(event, matched));
      const count = matched?.sent.length ?? 1;
      span.decided(count > 0 ? "routed" : nobody(matched), {
        deliveries: count,
      });
      return emit(route.accepted({ ...event, ...span.context }, matched));
    },
  };
}

function nobody(matched: Matched | null): "filtered" | "no_match" {
  return (matched?.filteredIds?.length ?? 0) > 0 ? "filtered" : "no_match";
}

/** A checksum of what the receivers would get. It only says more about a duplicate, so that two in four billion may have the same. */
function contentOf({ type, payload }: ValidEvent): number {
  return crc32(payload, crc32(type));
}

/** The lane of each partition. The text of the last one is kept, because records come in batches of one partition. */
class LaneNames {
  #topic = "";
  #partition = -1;
  #name = "";

  of({ topic, partition }: TopicPartition): string {
    if (partition !== this.#partition || topic !== this.#topic) {
      this.#topic = topic;
      this.#partition = partition;
      this.#name = `${topic}/${partition}`;
    }
    return this.#name;
  }
}

function emit(records: Iterable<OutRecord>): Verdict {
  return { kind: "emit", records };
}
