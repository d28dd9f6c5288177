/** How an endpoint stands, as sentences for people. A word that this page does not know is shown as it is: control may be newer. */
import type { Resume } from "../api/answers-endpoints.ts";
import { counted } from "./amounts.ts";

const STATES: Readonly<Record<string, string>> = {
  enabled: "What it wants is delivered to it.",
  paused: "What comes for it is parked, and a resume delivers it.",
  disabled: "Nothing is routed to it, and what waited for it is given up.",
};

/** What a state means for what comes. */
export function stateSentence(state: string): string {
  return STATES[state] ?? `It is ${state}.`;
}

const WAITS: Readonly<Record<string, string>> = {
  queued: "for a first attempt",
  retry: "for another attempt after a failed one",
  paused: "for a resume (parked)",
  breaker_open: "because the circuit breaker was open",
  retry_after: "because the receiver has asked for a pause",
  rate_limited: "for the endpoint's rate limit",
  not_before: "for the time that their publisher has set",
  lane_slow: "for one another: the endpoint is slow",
  secret_unavailable: "because the endpoint's secret cannot be opened",
};

/** `3 deliveries wait for another attempt after a failed one` */
export function waitingSentence(reason: string, count: number): string {
  const why = WAITS[reason] ?? `(${reason.replaceAll("_", " ")})`;
  return `${counted(count, "delivery", "deliveries")} ${count === 1 ? "waits" : "wait"} ${why}`;
}

/** How far a resume is. */
export function resumeSentence(resume: Resume): string {
  const sent = `${counted(resume.sent, "delivery", "deliveries")} sent`;
  switch (resume.state) {
    case "parked":
      return "What comes is parked. A resume sends it.";
    case "running":
      return resume.read < resume.total
        ? `Resuming: ${sent}, more to read.`
        : `Resuming: ${sent}; waiting until no dispatcher parks any more.`;
    case "done":
      return `Resumed: ${sent}.${lostOf(resume)}`;
    case "cancelled":
      return `The resume was stopped: ${sent}. The rest stays parked.${lostOf(resume)}`;
    case "ended":
      return `The resume has ended: ${sent}.${lostOf(resume)}`;
    default:
      return `The resume is ${resume.state}: ${sent}.`;
  }
}

function lostOf({ lost, unreadable }: Resume): string {
  const gone = lost + unreadable;
  return gone === 0
    ? ""
    : ` ${counted(gone, "dead letter")} could not be read: publish those events again if the receiver needs them.`;
}
