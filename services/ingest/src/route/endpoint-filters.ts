/** The filters of the endpoints that want an event's type: which of them leave the event out. */
import type { Endpoint, FailedFilter, FanOut } from "@postrider/core";
import { FilterSubject, type Judgement, KeptFilters } from "@postrider/filter";
import type { Meter } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";

/** What the filters of one event may take together, in their steps: some 10 ms, less than the deliveries to so many endpoints would. */
const MAX_STEPS_OF_EVENT = 100_000;

/** Endpoints that do not get an event that they want by its type. */
export interface Filtered {
  /** Their filter was false, or it failed. */
  readonly filteredIds: readonly string[];
  /** Those whose filter failed. The event is not held up for them: it would fail again. */
  readonly failedFilters: readonly FailedFilter[];
}

type OnJudged = (result: Judgement["kind"]) => void;

export class EndpointFilters {
  readonly #kept = new KeptFilters();
  readonly #onJudged: OnJudged;

  constructor(onJudged: OnJudged = () => {}) {
    this.#onJudged = onJudged;
  }

  /** Asks each filter, and leaves out whose filter is not true. The payload is parsed at most once. Never throws. */
  leaveOut(event: ValidEvent, wanting: FanOut): FanOut & Filtered {
    const subject = new FilterSubject(event, event.payload);
    const sent: Endpoint[] = [];
    const filteredIds: string[] = [];
    const failedFilters: FailedFilter[] = [];
    let allowance = MAX_STEPS_OF_EVENT;
    for (const endpoint of wanting.sent) {
      if (endpoint.filter === null) {
        sent.push(endpoint);
        continue;
      }
      const judged = this.#judge(endpoint.filter, subject, allowance);
      this.#onJudged(judged.kind);
      allowance -= judged.steps;
      if (judged.kind === "passed") {
        sent.push(endpoint);
        continue;
      }
      filteredIds.push(endpoint.id);
      if (judged.kind === "failed")
        failedFilters.push({ endpointId: endpoint.id, reason: judged.reason });
    }
    const left = new Set(filteredIds);
    const pausedIds = wanting.pausedIds.filter((id) => !left.has(id));
    return { ...wanting, sent, pausedIds, filteredIds, failedFilters };
  }

  #judge(text: string, subject: FilterSubject, allowance: number): Judgement {
    if (allowance <= 0) return TOO_MANY;
    const compiled = this.#kept.of(text);
    if (compiled.ok) return compiled.filter.judge(subject, allowance);
    // Control refuses such a filter; another version of control may have taken it.
    const { message } = compiled.problem;
    return { kind: "failed", reason: `it is not valid: ${message}`, steps: 0 };
  }
}

const TOO_MANY: Judgement = {
  kind: "failed",
  reason: "the filters of this event take too many steps together",
  steps: 0,
};

export function createFilterMeters(meter: Meter): OnJudged {
  const judged = meter.counter(
    "postrider_filters_total",
    "Filters of endpoints that were asked about an event, by what they said.",
    ["result"],
  );
  return (result) => judged.inc({ result });
}
